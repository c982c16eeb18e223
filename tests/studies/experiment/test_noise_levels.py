"""Levels of noise are those of what a network says, not of what the scan measures."""

from dataclasses import replace

import numpy as np

from al_service.studies.experiment.registry import system_named
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.stream_system import StreamSystem, noise_scale
from al_service.survey.inputs import Modality
from tests.studies.experiment.skies import lesson_of, small_sides


def test_objects_whose_redshift_was_scanned_set_no_level_of_a_single_network(
    whole_sky: ExperimentSky,
) -> None:
    """A network that states no epistemic variance took the scan's level for its own."""
    system = system_named("spectrum_cnn_lines")
    assert isinstance(system, StreamSystem)
    sides = small_sides(whole_sky, system.inputs)
    targets = whole_sky.targets
    fitted = system.fit(lesson_of(whole_sky, sides.training, sides.validation))
    plain = replace(fitted, noise_scale=np.ones(len(targets)))
    some = sides.training
    patterns = plain.predict(some.measurements).patterns
    scanned = patterns & int(Modality.REDSHIFT) != 0
    assert scanned.any()
    assert np.isfinite(some.values[~scanned, targets.index("z")]).sum() >= 10
    wrong = some.values.copy()
    wrong[scanned, targets.index("z")] += 1.0

    level = noise_scale(plain, some)

    np.testing.assert_array_equal(
        level, noise_scale(plain, replace(some, values=wrong))
    )

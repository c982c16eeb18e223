"""What nobody can beat, on a simulated survey."""

import numpy as np

from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.system import own_space
from al_service.studies.experiment.systems.bounds import Ceiling, RedshiftScan
from al_service.survey.simulation.objects import LATENTS
from tests.studies.experiment.skies import lesson_of, small_sides


def test_the_ceiling_of_z_is_the_true_redshift(whole_sky: ExperimentSky) -> None:
    """Trees alone were ten times as far off as the scan: it beat its bound."""
    sides = small_sides(whole_sky, ("spectrum",))
    lesson = lesson_of(whole_sky, sides.training, sides.validation)
    test = sides.test

    ceiling, scan = (
        system.fit(lesson).predict(test.measurements)
        for system in (Ceiling(), RedshiftScan())
    )

    assert test.measurements.latents is not None
    true = np.log1p(test.measurements.latents[:, LATENTS.index("z")])
    own = own_space(lesson.targets, test.values)[:, 0]
    error = np.nanmedian(np.abs(ceiling.center[:, 0] - own))
    assert error <= np.nanmedian(np.abs(scan.center[:, 0] - own))
    np.testing.assert_allclose(ceiling.center[:, 0], true, atol=2e-3)

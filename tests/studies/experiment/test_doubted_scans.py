"""Fused systems leave out a spectrum whose scan contradicts everything else."""

from dataclasses import replace

import numpy as np
import pytest

from al_service.features.scanned_redshift import believed_redshifts
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.registry import all_systems
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.stream_system import StreamSystem
from al_service.survey.inputs import Modality
from tests.studies.experiment.skies import lesson_of, small_sides

SURE_AND_ABSURD = (6.0, 1e-5, 0.91)
"""z, its error and the confidence: a quasar's redshift in a survey of galaxies."""


BOTH = ("image", "spectrum")


def with_scan(
    measurements: Measurements, row: int, scan: tuple[float, float, float]
) -> Measurements:
    """The same objects; one of them was scanned anew."""
    assert measurements.inputs.scan is not None
    scans = measurements.inputs.scan.copy()
    scans[row] = scan
    return replace(measurements, inputs=replace(measurements.inputs, scan=scans))


@pytest.mark.parametrize("name", ["early_fusion", "dual_stream_concat", "late_product"])
def test_an_absurd_scan_is_doubted_and_nobody_else_is_touched(
    name: str, whole_sky: ExperimentSky
) -> None:
    sides = small_sides(whole_sky, BOTH)
    lesson = lesson_of(whole_sky, sides.training, sides.validation)
    fitted = all_systems()[name].fit(lesson)
    sane = sides.test.measurements
    believed = believed_redshifts(sane.inputs)
    assert believed is not None
    row = int(np.flatnonzero(np.isfinite(believed[:, 0]))[0])

    before = fitted.predict(sane)
    after = fitted.predict(with_scan(sane, row, SURE_AND_ABSURD))

    assert before.patterns[row] & int(Modality.REDSHIFT)
    assert after.patterns[row] == int(Modality.IMAGE)
    assert after.center[row, 0] < np.log1p(2.0)
    others = np.arange(len(sides.test)) != row
    for one, other in (
        (after.center, before.center),
        (after.total_spread, before.total_spread),
    ):
        # Batches of another size are summed up in another order.
        np.testing.assert_allclose(one[others], other[others], rtol=1e-5)


def test_without_an_image_there_is_no_second_opinion(whole_sky: ExperimentSky) -> None:
    sides = small_sides(whole_sky, BOTH)
    lesson = lesson_of(whole_sky, sides.training, sides.validation)
    absurd = with_scan(sides.test.measurements, 0, SURE_AND_ABSURD)

    said = all_systems()["spectrum_cnn_lines"].fit(lesson).predict(absurd)

    assert said.center[0, 0] == pytest.approx(np.log1p(6.0))


def test_who_never_missed_a_spectrum_knows_no_second_opinion(
    whole_sky: ExperimentSky,
) -> None:
    system = all_systems()["early_fusion"]
    assert isinstance(system, StreamSystem)
    sides = small_sides(whole_sky, BOTH)
    seen = sides.training.measurements
    whole = sides.training.take(
        np.flatnonzero(seen.has("spectrum") & seen.has("image"))
    )
    absurd = with_scan(sides.test.measurements, 0, SURE_AND_ABSURD)

    fitted = system.fit(lesson_of(whole_sky, whole, sides.validation))

    assert not fitted.doubts_scan
    assert fitted.predict(absurd).center[0, 0] == pytest.approx(np.log1p(6.0))

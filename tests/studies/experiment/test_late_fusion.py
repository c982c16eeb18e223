"""How two predictions become one, on numbers made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.posterior.predictions import Predictions
from al_service.studies.experiment.late_fusion import LateFusion, correlation, weighted
from al_service.studies.experiment.registry import system_named
from al_service.studies.experiment.sky import ExperimentSky
from al_service.survey.inputs import Modality
from tests.studies.experiment.skies import lesson_of, small_sides


def said(center: NDArray[np.float64], spread: float) -> Predictions:
    """Of one rate."""
    column = center[:, None]
    return Predictions(
        ("sfr_median",),
        np.ones(len(center), np.int64),
        column,
        np.zeros(column.shape),
        np.full(column.shape, spread),
    )


def test_independent_errors_average_out_as_precisions_add() -> None:
    center, variance = weighted(
        said(np.zeros(1), 1.0), said(np.ones(1), 2.0), np.zeros(1)
    )

    assert center.item() == pytest.approx(0.2)  # weights 4 : 1
    assert variance.item() == pytest.approx(1 / (1 / 1.0 + 1 / 4.0))


def test_errors_that_agree_do_not_average_out() -> None:
    one = said(np.zeros(1), 0.5)

    _, variance = weighted(one, one, np.array([0.99]))

    assert variance.item() == pytest.approx(0.25 * 0.995)


def test_the_variance_is_that_of_errors_with_their_correlation() -> None:
    generator = np.random.default_rng(0)
    shared = generator.standard_normal(100_000)
    errors = [
        scale * (0.6 * shared + 0.8 * generator.standard_normal(100_000))
        for scale in (1.0, 2.0)
    ]
    found = correlation(*(error[:, None] for error in errors))

    center, variance = weighted(said(errors[0], 1.0), said(errors[1], 2.0), found)

    assert found == pytest.approx(0.36, abs=0.01)
    assert center.var() == pytest.approx(variance[0].item(), rel=0.02)


@pytest.mark.parametrize("name", ["late_product", "late_stacked"])
def test_a_target_that_no_validation_object_knows_is_joined_all_the_same(
    name: str, whole_sky: ExperimentSky
) -> None:
    system = system_named(name)
    assert isinstance(system, LateFusion)
    sides = small_sides(whole_sky, system.inputs)
    held = sides.validation
    values = held.values.copy()
    values[:, whole_sky.targets.index("sfr_avg")] = np.nan
    lesson = lesson_of(whole_sky, sides.training, replace(held, values=values))

    joined = system.fit(lesson).predict(held.measurements)

    assert np.isfinite(joined.center).all()
    assert (joined.total_spread > 0).all()


def test_a_redshift_that_was_scanned_is_stacked_with_nothing(
    whole_sky: ExperimentSky,
) -> None:
    """A linear stack moved all of them by hundreds of their standard deviations."""
    system = system_named("late_stacked")
    assert isinstance(system, LateFusion)
    sides = small_sides(whole_sky, system.inputs)
    fitted = system.fit(lesson_of(whole_sky, sides.training, sides.validation))

    joined = fitted.predict(sides.test.measurements)

    scanned = (joined.patterns & int(Modality.REDSHIFT)) > 0
    assert scanned.any()
    scan = sides.test.measurements.inputs.scan
    assert scan is not None
    column = joined.targets.index("z")
    moved = joined.center[scanned, column] - np.log1p(scan[scanned, 0])
    assert (np.abs(moved) < joined.total_spread[scanned, column]).all()

"""The figure that the model owes to real galaxies."""

import pytest

from al_service.errors import InvalidInput
from al_service.posterior.accuracy import measure_photometry_accuracy


def test_photometry_alone_predicts_the_redshifts_of_real_galaxies() -> None:
    (figures,) = measure_photometry_accuracy([2])
    assert figures.rmse_norm <= 0.0177
    assert figures.sigma_mad <= 0.0132
    assert figures.coverage68 == pytest.approx(0.68, abs=0.03)
    assert figures.coverage95 == pytest.approx(0.95, abs=0.03)


def test_a_hundred_labels_already_beat_the_spread_of_the_survey() -> None:
    (figures,) = measure_photometry_accuracy([0], n_labels=100)
    # Guessing the mean gives 0.055, a random forest 0.026, a ridge 0.024.
    assert figures.rmse_norm < 0.027
    assert figures.coverage68 == pytest.approx(0.68, abs=0.12)


def test_nobody_examines_who_has_taught() -> None:
    with pytest.raises(InvalidInput, match="at most 6000 beside 4000 galaxies"):
        measure_photometry_accuracy([0], n_labels=6001)

"""Labels are the statistics of one posterior, as noisy as catalogs are."""

import numpy as np
import pytest

from al_service.survey.simulation.labels import (
    QUANTILES,
    Posteriors,
    label_table,
    make_posteriors,
    redshift_labels,
)
from al_service.survey.simulation.settings import default_settings
from al_service.survey.targets import DEFAULT_TARGETS, SFR_QUANTILES, Target

SETTINGS = default_settings().labels
N = 20_000
NO_ERRORS = SETTINGS.model_copy(update={"wrong_share": 0.0})

SKEWED = Posteriors(np.array([0.3]), np.array([0.4]), np.array([0.15]))


def posteriors(*, star_forming: bool) -> tuple[np.ndarray, Posteriors]:
    truth = np.random.default_rng(1).normal(0.0, 0.5, N)
    forming = np.full(N, star_forming)
    found = make_posteriors(
        truth, forming, np.ones(N), NO_ERRORS, np.random.default_rng(0)
    )
    return truth, found


def test_statistics_are_those_of_draws() -> None:
    many = Posteriors(*(np.repeat(part, 200_000) for part in vars(SKEWED).values()))
    draws = many.draw(np.random.default_rng(0))
    for share in QUANTILES.values():
        assert SKEWED.quantile(share)[0] == pytest.approx(
            np.quantile(draws, share), abs=0.005
        )
    assert SKEWED.mean()[0] == pytest.approx(draws.mean(), abs=0.003)


def test_the_entropy_is_the_sum_of_p_lg_p_over_the_catalogs_bins() -> None:
    step = SETTINGS.bin
    edges = np.arange(-3.0, 3.0, step)
    centers = edges + step / 2
    width = np.where(centers < 0.3, 0.4, 0.15)
    p = np.exp(-0.5 * ((centers - 0.3) / width) ** 2)
    p /= p.sum()
    expected = np.sum(p[p > 0] * np.log2(p[p > 0]))
    assert SKEWED.entropy(step)[0] == pytest.approx(expected, abs=0.01)


def test_quantiles_are_sorted_in_every_label() -> None:
    _, found = posteriors(star_forming=False)
    redshift = (np.full(N, 0.1), np.full(N, 1e-5))
    values, errors = label_table(redshift, found, SETTINGS)
    columns = [DEFAULT_TARGETS.index(name) for name in SFR_QUANTILES]
    assert (np.diff(values[:, columns], axis=1) > 0).all()
    assert np.isfinite(values).all()
    known = np.isfinite(errors).all(axis=0)
    assert known.tolist() == [name == Target.Z for name in DEFAULT_TARGETS]


def test_posteriors_of_star_forming_galaxies_are_honest() -> None:
    truth, found = posteriors(star_forming=True)
    inside = (truth > found.quantile(0.16)) & (truth < found.quantile(0.84))
    assert inside.mean() == pytest.approx(0.68, abs=0.01)


def test_passive_galaxies_have_wide_posteriors_and_labels_that_scatter_less() -> None:
    _, forming = posteriors(star_forming=True)
    truth, passive = posteriors(star_forming=False)
    assert np.median(passive.below) > 2 * np.median(forming.below)
    inside = (truth > passive.quantile(0.16)) & (truth < passive.quantile(0.84))
    assert inside.mean() > 0.9
    assert (passive.quantile(0.5) - truth).std() < 0.4


def test_redshifts_scatter_by_their_errors_which_fall_with_the_signal() -> None:
    truth = np.full(N, 0.1)
    ratio = np.repeat([1.0, 20.0], N // 2)
    found, error = redshift_labels(truth, ratio, SETTINGS, np.random.default_rng(0))
    assert ((found - truth) / error).std() == pytest.approx(1.0, abs=0.02)
    assert error[0] > 5 * error[-1]

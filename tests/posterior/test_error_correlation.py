"""How errors of the latents go together."""

from dataclasses import replace

import numpy as np
import pytest

from al_service.posterior.error_correlation import DOUBT, error_correlation
from al_service.posterior.features import extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.predictions import Predictions
from al_service.posterior.teaching import fit_head
from al_service.survey.targets import DEFAULT_TARGETS
from tests.posterior.galaxies import TINY, survey

TRUE = np.array([[1.0, 0.6, -0.5], [0.6, 1.0, 0.0], [-0.5, 0.0, 1.0]])


def errors(n: int, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    generator = np.random.default_rng(seed)
    return generator.multivariate_normal(np.zeros(3), TRUE, size=n) * [0.5, 1.0, 2.0]


def test_the_correlation_is_found_whatever_the_scale_and_the_gaps() -> None:
    off = errors(20_000)
    observed = np.random.default_rng(1).random(off.shape) > 0.3

    found = error_correlation(np.where(observed, off, np.nan), observed)

    np.testing.assert_allclose(found, TRUE, atol=0.04)


def test_a_catastrophe_does_not_set_it() -> None:
    off = errors(2_000)
    off[0] = 1e4

    found = error_correlation(off, np.ones(off.shape, dtype=np.bool_))

    np.testing.assert_allclose(found, TRUE, atol=0.06)


def test_few_labels_are_hardly_believed() -> None:
    off = np.tile([[0.1, 0.1, -0.1], [-1.0, -1.0, 1.0]], (5, 1))

    found = error_correlation(off, np.ones(off.shape, dtype=np.bool_))

    assert found[0, 1] == pytest.approx(10 / (10 + DOUBT))


def test_without_labels_nothing_goes_together() -> None:
    nothing = np.zeros((0, 3))
    none = np.zeros((0, 3), dtype=np.bool_)
    np.testing.assert_array_equal(error_correlation(nothing, none), np.eye(3))


def test_pairs_of_different_objects_still_give_a_correlation() -> None:
    off = np.full((3_000, 3), np.nan)
    some = np.random.default_rng(0).normal(size=1_000)
    off[:1_000, 0] = off[:1_000, 1] = some
    off[1_000:2_000, 1] = off[1_000:2_000, 2] = some
    off[2_000:, 0], off[2_000:, 2] = some, -some  # which no three numbers can be

    found = error_correlation(off, np.isfinite(off))

    assert np.linalg.eigvalsh(found).min() > 0.0
    np.testing.assert_allclose(np.diag(found), 1.0)


def test_a_quantile_whose_steps_err_with_the_median_is_no_surer_than_it() -> None:
    targets = ("sfr_median", "sfr_p2p5")
    inputs, known = survey(2_400)
    off = np.random.default_rng(2).normal(0.0, 0.3, len(known))
    median = known[:, DEFAULT_TARGETS.index("sfr_median")] + off
    values = np.column_stack([median, median - 0.6 * np.exp(-1.5 * off)])
    labels = TrainingSet(
        inputs.take(slice(0, 400)), values[:400], np.full((400, 2), np.nan)
    )
    network = fit_network(labels, targets=targets, config=TINY, seed=1)
    head = fit_head(
        network, extract(network, labels.inputs), labels.values, labels.errors
    )
    others = extract(network, inputs.take(slice(400, None)))

    def held(predictions: Predictions) -> tuple[float, float]:
        low, high = predictions.interval(68)
        inside = (low < values[400:]) & (values[400:] < high)
        return float(inside[:, 0].mean()), float(inside[:, 1].mean())

    of_median, of_quantile = held(head.predict(others))
    alone, independent = held(replace(head, correlation=None).predict(others))
    assert alone == of_median
    assert of_quantile == pytest.approx(of_median, abs=0.07)
    assert independent < of_median - 0.14

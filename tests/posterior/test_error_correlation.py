"""How errors of the latents go together."""

from dataclasses import replace

import numpy as np
import pytest

from al_service.features.preparation import presence
from al_service.models.network import ALL_BUT_SPECTRUM, Network
from al_service.posterior.error_correlation import DOUBT, error_correlation
from al_service.posterior.features import extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.head import EVERYTHING
from al_service.posterior.predictions import Predictions
from al_service.posterior.teaching import fit_head
from al_service.survey.inputs import Inputs
from al_service.survey.targets import DEFAULT_TARGETS
from tests.posterior.galaxies import TINY, Floats, survey
from tests.posterior.whole_sky import SMALL, whole_sky

TRUE = np.array([[1.0, 0.6, -0.5], [0.6, 1.0, 0.0], [-0.5, 0.0, 1.0]])


def errors(n: int, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    generator = np.random.default_rng(seed)
    return generator.multivariate_normal(np.zeros(3), TRUE, size=n) * [0.5, 1.0, 2.0]


def test_the_correlation_is_found_whatever_the_scale_and_the_gaps() -> None:
    off = errors(20_000)
    observed = np.random.default_rng(1).random(off.shape) > 0.3

    found = error_correlation(np.where(observed, off, np.nan))

    np.testing.assert_allclose(found, TRUE, atol=0.04)


def test_a_catastrophe_does_not_set_it() -> None:
    off = errors(2_000)
    off[0] = 1e4

    found = error_correlation(off)

    np.testing.assert_allclose(found, TRUE, atol=0.06)


def test_few_labels_are_hardly_believed() -> None:
    off = np.tile([[0.1, 0.1, -0.1], [-1.0, -1.0, 1.0]], (5, 1))

    found = error_correlation(off)

    assert found[0, 1] == pytest.approx(10 / (10 + DOUBT))


def test_without_labels_nothing_goes_together() -> None:
    nothing = np.zeros((0, 3))
    np.testing.assert_allclose(error_correlation(nothing), np.eye(3))
    found = error_correlation(nothing, believed=TRUE)
    np.testing.assert_allclose(found, TRUE, atol=1e-12)


def test_errors_that_labels_state_of_themselves_are_taken_off() -> None:
    """Neighbors in a chain have one of them in common, whatever the galaxies do."""
    generator = np.random.default_rng(3)
    noise = generator.multivariate_normal(np.zeros(3), TRUE, size=20_000)
    own = generator.normal(0.0, 0.7, size=(20_000, 3))
    own[:, 1] -= own[:, 0]  # the first is the second's reference
    covariance = 0.49 * np.array([[1.0, -1.0, 0.0], [-1.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
    spread = np.sqrt(1.0 + np.diag(covariance))
    stated = np.tile(covariance / np.outer(spread, spread), (20_000, 1, 1))

    found = error_correlation((noise + own) / spread, stated)

    np.testing.assert_allclose(found, TRUE, atol=0.05)
    assert error_correlation((noise + own) / spread)[0, 1] < 0.3


def test_labels_that_are_nearly_all_error_say_nothing_of_the_noise() -> None:
    off = np.random.default_rng(0).normal(size=(500, 1)) * np.ones((1, 3))
    found = error_correlation(off, np.full((500, 3, 3), 0.999))
    np.testing.assert_allclose(found, np.eye(3), atol=1e-3)


def test_pairs_of_different_objects_still_give_a_correlation() -> None:
    off = np.full((3_000, 3), np.nan)
    some = np.random.default_rng(0).normal(size=1_000)
    off[:1_000, 0] = off[:1_000, 1] = some
    off[1_000:2_000, 1] = off[1_000:2_000, 2] = some
    off[2_000:, 0], off[2_000:, 2] = some, -some  # which no three numbers can be

    found = error_correlation(off)

    assert np.linalg.eigvalsh(found).min() > 0.0
    np.testing.assert_allclose(np.diag(found), 1.0)


SHOWN = ("sfr_median", "sfr_p2p5")


def held(predictions: Predictions, values: Floats) -> list[float]:
    """Share of the labels within 68 % intervals."""
    low, high = predictions.interval(68)
    return list(((low < values) & (values < high)).mean(axis=0))


def taught(inputs: Inputs, values: Floats, errors: Floats, n: int = 400) -> Network:
    labels = TrainingSet(inputs.take(slice(0, n)), values[:n], errors[:n])
    return fit_network(labels, targets=SHOWN, config=TINY, seed=1)


@pytest.mark.parametrize("error", [np.nan, 0.1])
def test_intervals_of_a_quantile_hold_as_much_as_those_of_the_median(
    error: float,
) -> None:
    """Taken for independent of the median's, its errors are stated too small."""
    inputs, known = survey(2_400)
    generator = np.random.default_rng(2)
    off = generator.normal(0.0, 0.3, len(known))
    median = known[:, DEFAULT_TARGETS.index("sfr_median")] + off
    values = np.column_stack([median, median - 0.6 * np.exp(-1.5 * off)])
    errors = np.full(values.shape, error)
    labels = values + np.nan_to_num(errors) * generator.normal(size=values.shape)
    network = taught(inputs, labels, errors)
    features = extract(network, inputs.take(slice(0, 400)))
    head = fit_head(network, features, labels[:400], errors[:400])
    others = extract(network, inputs.take(slice(400, None)))

    of_median, of_quantile = held(head.predict(others), values[400:])
    alone, independent = held(
        replace(head, correlation=None).predict(others), values[400:]
    )

    assert alone == of_median
    assert of_quantile == pytest.approx(of_median, abs=0.07)
    assert independent < of_median - 0.12


def test_every_pattern_has_its_own() -> None:
    """What the spectrum explains makes median and step err together without it."""
    targets = ("sfr_median", "sfr_p84")
    sky = whole_sky(400, unsure=0.0)
    labels = sky.training_set(targets)
    network = fit_network(labels, targets=targets, config=SMALL, seed=1)
    features = extract(network, labels.inputs)
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=len(sky.inputs)) * presence(sky.inputs, "spectrum")
    phi = features.phi.copy()
    phi[:, 0] = hidden  # φ of which there is nothing without a spectrum
    shown = replace(features, phi=phi)
    small = generator.normal(0.0, 0.05, size=(2, len(hidden)))
    median = hidden + small[0]
    values = np.column_stack([median, median + np.exp(0.5 * hidden + small[1])])

    head = fit_head(network, shown, values, np.full(values.shape, np.nan))

    assert head.correlation is not None
    everything, unseen = (
        head.correlation[head.patterns.tolist().index(pattern)][0, 1]
        for pattern in (EVERYTHING, ALL_BUT_SPECTRUM)
    )
    assert abs(everything) < 0.4
    assert unseen > 0.8

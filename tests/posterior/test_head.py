"""The last layer, refitted in closed form."""

from dataclasses import replace

import numpy as np
import pytest

from al_service.errors import RunStopped
from al_service.models.network import Network
from al_service.posterior.features import CHUNK_ROWS, Features, extract
from al_service.posterior.fitting import fit_network
from al_service.posterior.teaching import fit_head
from al_service.survey.inputs import Modality
from tests.posterior.galaxies import TINY, survey, training_set

N = 120
TARGETS = ("z", "sfr_median")


@pytest.fixture(scope="module")
def network() -> Network:
    return fit_network(training_set(N, TARGETS), targets=TARGETS, config=TINY, seed=1)


@pytest.fixture(scope="module")
def known(network: Network) -> Features:
    return extract(network, training_set(N, TARGETS).inputs)


def test_epistemic_variance_is_phi_sigma_phi_over_the_noise(
    network: Network, known: Features
) -> None:
    training = training_set(N, TARGETS)
    head = fit_head(network, known, training.values, training.errors)
    design = np.column_stack([known.phi.astype(np.float64), np.ones(N)])
    for column in range(2):
        sigma = head.factor[0, column] @ head.factor[0, column].T
        exact = np.einsum("nd,de,ne->n", design, sigma, design)
        noise = known.noise[:, column] / network.latent_spread[column] ** 2
        np.testing.assert_allclose(
            head.epistemic_variance(known)[:, column], exact / noise, rtol=1e-4
        )


def test_sigma_is_the_inverse_of_prior_and_labels(
    network: Network, known: Features
) -> None:
    training = training_set(N, TARGETS)
    errors = np.full(training.values.shape, 0.02)
    head = fit_head(network, known, training.values, errors)
    design = np.column_stack([known.phi.astype(np.float64), np.ones(N)])
    spread = network.latent_spread[0]
    noise = known.noise[:, 0] / spread**2
    noise = noise + (0.02 / (1 + training.values[:, 0]) / spread) ** 2
    prior = np.diag(np.append(np.full(TINY.dim, head.precision[0, 0]), 1.0))
    sigma = np.linalg.inv(prior + (design / noise[:, None]).T @ design)
    np.testing.assert_allclose(
        head.factor[0, 0] @ head.factor[0, 0].T, sigma, rtol=1e-6, atol=1e-12
    )


def test_an_object_unlike_all_labels_is_more_uncertain_than_the_labeled(
    network: Network, known: Features
) -> None:
    training = training_set(N, TARGETS)
    head = fit_head(network, known, training.values, training.errors)
    far = replace(known, phi=5.0 * known.phi)
    near_variance = head.epistemic_variance(known)
    assert (head.epistemic_variance(far) > near_variance).mean() > 0.99
    assert (near_variance < 1.0).all()  # the label itself has told more than its noise


def test_predictions_and_variances_at_once_are_those_of_each_alone(
    network: Network, known: Features
) -> None:
    training = training_set(N, TARGETS)
    head = fit_head(network, known, training.values, training.errors)
    predictions, variance = head.predict_with_variance(known)
    alone = head.predict(known)
    np.testing.assert_array_equal(variance, head.epistemic_variance(known))
    np.testing.assert_array_equal(predictions.mean, alone.mean)
    np.testing.assert_array_equal(predictions.epistemic, alone.epistemic)


def test_weights_change_the_mean_and_not_the_variance(
    network: Network, known: Features
) -> None:
    training = training_set(N, TARGETS)
    weights = np.linspace(0.1, 1.9, N)
    plain = fit_head(network, known, training.values, training.errors)
    dense = fit_head(network, known, training.values, training.errors, weights)
    assert not np.allclose(plain.mean, dense.mean)
    np.testing.assert_array_equal(
        plain.epistemic_variance(known), dense.epistemic_variance(known)
    )


def test_a_redshift_scan_speaks_for_z_and_leaves_the_others_alone(
    network: Network, known: Features
) -> None:
    training = training_set(N, TARGETS)
    truth = training.values[:, 0]
    scan = np.full((N, 3), np.nan, dtype=np.float32)
    scan[::2] = np.stack([np.log1p(truth), 0.0 * truth + 1e-8, truth**0], axis=1)[::2]
    scanned = replace(known, scan=scan)
    head = fit_head(network, scanned, training.values, training.errors)
    predicted = head.predict(scanned)
    error = np.abs(predicted.mean[:, 0] - truth)
    assert error[::2].max() < 1e-3
    # Rows without a scan are served as well as if there were no others.
    alone = fit_head(
        network,
        known.take(slice(1, None, 2)),
        training.values[1::2],
        training.errors[1::2],
    )
    expected = alone.predict(known.take(slice(1, None, 2))).mean[:, 0]
    assert np.abs(predicted.mean[1::2, 0] - expected).max() < 0.02
    without = fit_head(network, known, training.values, training.errors)
    np.testing.assert_array_equal(
        predicted.mean[:, 1], without.predict(known).mean[:, 1]
    )


def test_without_labels_there_is_the_prior(network: Network, known: Features) -> None:
    nothing = np.zeros((0, 2))
    head = fit_head(network, known.take(slice(0, 0)), nothing, nothing)
    predicted = head.predict(known)
    assert head.n_labels.tolist() == [0, 0]
    scanned = np.array([int(Modality.PHOTOMETRY), int(Modality.REDSHIFT)])
    assert head.informed(scanned).tolist() == [[False, False], [True, False]]
    expected = network.transform.back(
        np.tile(network.latent_center, (N, 1)), np.zeros((N, 2)), np.zeros((N, 2))
    )
    np.testing.assert_allclose(predicted.center, expected.center)


def test_features_survive_storage(known: Features) -> None:
    again = Features.from_arrays(known.arrays())
    np.testing.assert_array_equal(again.phi, known.phi)
    assert again.scan is None
    assert len(again.take(np.array([3, 5]))) == 2


def test_chunks_do_not_show(network: Network) -> None:
    inputs, _ = survey(5_000)
    together = extract(network, inputs)
    apart = extract(network, inputs.take(slice(4_090, 4_100)))
    np.testing.assert_allclose(
        together.phi[4_090:4_100], apart.phi, rtol=1e-3, atol=1e-3
    )


def test_looking_at_many_objects_may_stop_between_two_pieces(network: Network) -> None:
    """A chunk of thousands with images and spectra was finished first."""
    inputs, _ = survey(CHUNK_ROWS + 1)
    with pytest.raises(RunStopped, match=f"after {CHUNK_ROWS} of {CHUNK_ROWS + 1}"):
        extract(network, inputs, should_stop=lambda: True)
    few = inputs.take(slice(0, CHUNK_ROWS))
    assert len(extract(network, few, should_stop=lambda: True)) == CHUNK_ROWS

"""The noise: believed where labels vouch for it, honest where they are few or equal."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from al_service.acquisition.uncertainty import total_variance
from al_service.models.fusion import FusionNetwork
from al_service.models.network import Network, raw_features
from al_service.posterior.features import extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.held_aside import PRIOR_SPREAD, Floats, noise_level
from al_service.posterior.label_tensors import LabelTensors, gather, scaled
from al_service.posterior.noise_scaling import wider_limits
from al_service.posterior.predictions import Predictions
from al_service.posterior.teaching import fit_head
from al_service.survey.inputs import Inputs, Modality
from tests.posterior.galaxies import TINY, survey, training_set
from tests.posterior.whole_sky import SMALL, only, whole_sky

TARGETS = ("z", "sfr_median")


def fitted(training: TrainingSet, targets: tuple[str, ...] = TARGETS) -> Network:
    return fit_network(training, targets=targets, config=TINY, seed=1)


def predicted(training: TrainingSet, inputs: Inputs) -> Predictions:
    network = fitted(training)
    features = extract(network, training.inputs)
    head = fit_head(network, features, training.values, training.errors)
    return head.predict(extract(network, inputs))


def absurd(inputs: Inputs) -> Inputs:
    """Galaxies whose fluxes are like no other's, band by band."""
    generator = np.random.default_rng(4)
    factors = 10.0 ** generator.uniform(-9, 9, inputs.photometry.shape)
    return replace(inputs, photometry=inputs.photometry * factors.astype(np.float32))


def test_nothing_has_less_noise_than_every_label_however_far_out() -> None:
    """Extrapolated to its lower limit it gave scores of millions."""
    training = training_set(80, TARGETS)
    network = fitted(training)
    far = absurd(survey(400, seed=2)[0])
    known = extract(network, training.inputs).noise
    noise = extract(network, far).noise
    _, unbounded = raw_features(network.module, network.scalers, far).seen
    assert (unbounded < network.noise_limits[:, 0]).any(), "nothing was far out"
    assert (noise.min(axis=0) >= known.min(axis=0)).all()
    assert (noise.max(axis=0) <= known.max(axis=0)).all()
    head = fit_head(
        network,
        extract(network, training.inputs),
        training.values,
        training.errors,
    )
    assert total_variance(head.epistemic_variance(extract(network, far))).max() < 1e4


@pytest.mark.parametrize("n", [1, 2, 15, 120])
def test_labels_that_are_all_equal_are_predicted_with_room_for_doubt(n: int) -> None:
    """The noise of labels without spread was 0, and the next step divided by it."""
    training = training_set(n, TARGETS)
    training.values[:] = 0.3, -0.7
    found = predicted(training, survey(50, seed=5)[0])
    np.testing.assert_allclose(found.mean, np.tile([0.3, -0.7], (50, 1)), atol=1e-6)
    spread = found.aleatoric_spread
    np.testing.assert_allclose(spread, PRIOR_SPREAD / np.sqrt(1 + n), rtol=1e-3)


def test_what_is_hidden_of_equal_labels_says_nothing_of_their_noise() -> None:
    """A pattern of the pool made of it whatever the untaught noise branch said."""
    sky = whole_sky(40)
    training = sky.training_set(TARGETS)
    training.values[:, 1] = 0.3
    network = fit_network(
        training,
        targets=TARGETS,
        config=SMALL.model_copy(update={"min_steps": 3}),
        seed=1,
        patterns=(int(Modality.IMAGE),),
    )
    assert network.partial_patterns == (int(Modality.IMAGE),)
    found = extract(network, only(sky.inputs, "image"))
    spread = np.sqrt(found.noise[:, 1])
    np.testing.assert_allclose(spread, PRIOR_SPREAD / np.sqrt(41), rtol=1e-3)
    assert network.noise_limits[0, 0] < network.noise_limits[0, 1]


def test_limits_are_those_of_labels_that_know_the_target() -> None:
    """What the network says of an object without a label vouches for nothing."""
    sky = whole_sky(60)
    training = sky.training_set(TARGETS)
    gathered = gather(training.inputs, SMALL)
    scalers, columns = scaled(gathered)
    module = FusionNetwork(
        SMALL,
        widths={name: len(one.center) for name, one in scalers.items()},
        n_latents=2,
    )
    flags = {name: torch.from_numpy(part) for name, part in gathered.present.items()}
    known = torch.ones(60, 2, dtype=torch.bool)
    known[30:, 1] = False
    none = torch.zeros(60, 2)
    labels = LabelTensors(
        columns,
        flags,
        torch.from_numpy(gathered.scanned),
        none,
        none,
        known,
        none[:, 0],
    )
    narrow = np.array([[-1e-3, 1e-3], [-1e-3, 1e-3]])

    limits = wider_limits(narrow, module, labels, [int(Modality.IMAGE)])

    half = wider_limits(
        narrow, module, labels.take(slice(0, 30)), [int(Modality.IMAGE)]
    )
    np.testing.assert_allclose(limits[1], half[1], rtol=1e-5)
    assert (limits[:, 0] <= narrow[:, 0]).all()
    assert (limits[:, 1] >= narrow[:, 1]).all()
    assert (limits[0] != narrow[0]).any()


def test_equal_labels_of_one_target_leave_the_other_alone() -> None:
    training = training_set(120, TARGETS)
    training.values[:, 1] = 0.1 + 0.2  # a number whose mean is rounded
    inputs, truth = survey(200, seed=5)
    found = predicted(training, inputs)
    np.testing.assert_allclose(found.mean[:, 1], 0.3, atol=1e-6)
    left = np.mean((found.mean[:, 0] - truth[:, 0]) ** 2) / np.var(truth[:, 0])
    assert left < 0.3


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("equal", [True, False])
def test_one_or_two_labels_of_a_target_among_many_of_another(
    n: int, equal: bool
) -> None:
    training = training_set(120, TARGETS)
    training.values[n:, 1] = np.nan
    training.values[:n, 1] = 0.5 if equal else [0.5, 0.9][:n]
    found = predicted(training, survey(50, seed=5)[0])
    assert np.isfinite(found.center).all()
    told = training.values[:n, 1]
    assert (np.abs(found.mean[:, 1] - told.mean()) < 2.0).all()
    least = PRIOR_SPREAD / np.sqrt(1 + n)
    assert (found.total_spread[:, 1] >= least * (1 - 1e-5)).all()


def test_labels_that_nearly_all_agree_still_leave_a_finite_surprise() -> None:
    training = training_set(120, TARGETS)
    training.values[:, 1] = 0.0
    training.values[7, 1] = 1.0
    found = predicted(training, survey(50, seed=5)[0])
    assert np.isfinite(found.mean).all()
    assert (found.total_spread > 0).all()


def test_odd_labels_of_small_weight_do_not_widen_the_noise_of_the_bulk() -> None:
    """What a strategy asks for is odd; intervals that fit it are too wide for all."""
    n = 400
    generator = np.random.default_rng(0)
    odd = np.arange(n) % 2 == 0
    values = generator.normal(0.0, np.where(odd, 1.0, 0.1))[:, None]
    taught = np.stack([np.arange(n) % 5 > 0, np.arange(n) % 5 < 4])

    def scale(weights: Floats) -> float:
        level = noise_level(
            generator.normal(size=(2, n, 3)),
            values,
            np.zeros((n, 1)),
            np.zeros((n, 1)),
            observed=np.ones((n, 1), dtype=np.bool_),
            taught=taught,
            spread=np.ones(1),
            weights=weights,
        )
        return float(level.scale[0])

    assert scale(np.where(odd, 0.01, 1.99)) < 0.03  # variance of the bulk: 0.01
    assert scale(np.where(odd, 1.99, 0.01)) > 0.5

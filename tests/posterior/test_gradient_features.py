"""Sketches of gradients have the inner products of the gradients themselves."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from al_service.features.scanned_redshift import believed_redshifts
from al_service.models.encoders import MemberLinear
from al_service.models.network import Network, scaled_tensors
from al_service.posterior.features import extract
from al_service.posterior.fitting import fit_network
from al_service.posterior.gradient_features import sketch_gradients
from al_service.posterior.head import Head
from al_service.posterior.teaching import fit_head
from al_service.survey.inputs import Inputs
from tests.posterior.galaxies import TINY, survey, training_set
from tests.posterior.whole_sky import SMALL, whole_sky

TARGETS = ("z", "sfr_median")
N = 24


@pytest.fixture(scope="module")
def model() -> tuple[Network, Head]:
    labels = training_set(80, TARGETS)
    network = fit_network(labels, targets=TARGETS, config=TINY, seed=1)
    features = extract(network, labels.inputs)
    return network, fit_head(network, features, labels.values, labels.errors)


def exact_products(network: Network, head: Head, inputs: Inputs) -> NDArray[np.float64]:
    """`N x N` inner products of whole gradients, object by object, by autograd."""
    weights = [
        weight
        for name, layer in network.module.named_modules()
        if isinstance(layer, MemberLinear) and not name.startswith("noise.")
        for weight in layer.parameters()
    ]
    network.module.requires_grad_(requires_grad=True)
    matrix = torch.from_numpy(network.whitening.matrix).float()
    scan = believed_redshifts(inputs)
    serving = head.serving(inputs.patterns)
    gradients = []
    for number in range(len(inputs)):
        one = inputs.take(np.array([number]))
        phi, _ = network.module(*scaled_tensors(network.scalers, one))
        white = phi.transpose(0, 1).flatten(start_dim=1) @ matrix
        for column, target in enumerate(TARGETS):
            mean = torch.from_numpy(head.mean[serving[number], column, :-1]).float()
            found = torch.autograd.grad(
                (white @ mean).sum(), weights, retain_graph=True, materialize_grads=True
            )
            whole = torch.cat([part.flatten() for part in found]).double()
            settled = (
                target == "z" and scan is not None and np.isfinite(scan[number, 0])
            )
            gradients.append(whole * (0.0 if settled else 1.0))
    network.module.requires_grad_(requires_grad=False)
    rows = torch.stack(gradients).reshape(len(inputs), -1)
    return (rows @ rows.T).numpy()


def test_inner_products_of_sketches_are_those_of_exact_gradients(
    model: tuple[Network, Head],
) -> None:
    network, head = model
    inputs, _ = survey(N, seed=5)
    exact = exact_products(network, head, inputs)

    sketch = sketch_gradients(network, head, inputs, size=32_768).astype(np.float64)

    products = sketch @ sketch.T
    lengths = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    # Every product is off by about 1/sqrt(P) of the lengths, per target.
    assert np.abs((products - exact) / lengths).max() < 0.06
    assert np.abs((products - exact) / lengths).mean() < 0.02


def test_distances_in_a_short_sketch_follow_those_of_the_gradients(
    model: tuple[Network, Head],
) -> None:
    network, head = model
    inputs, _ = survey(N, seed=5)
    exact = exact_products(network, head, inputs)
    squared = np.diag(exact)[:, None] + np.diag(exact) - 2.0 * exact

    sketch = sketch_gradients(network, head, inputs).astype(np.float64)

    found = ((sketch[:, None] - sketch[None]) ** 2).sum(axis=2)
    apart = np.triu_indices(N, 1)
    assert np.corrcoef(found[apart], squared[apart])[0, 1] > 0.97


def test_objects_are_sketched_alike_in_whatever_company(
    model: tuple[Network, Head],
) -> None:
    network, head = model
    inputs, _ = survey(N, seed=5)

    together = sketch_gradients(network, head, inputs)
    alone = sketch_gradients(network, head, inputs.take(np.arange(3, 9)))

    assert together.shape == (N, 512)
    np.testing.assert_allclose(alone, together[3:9], rtol=1e-4, atol=1e-5)


def test_what_an_object_lacks_adds_nothing_and_a_believed_scan_speaks_for_z() -> None:
    """Layers that see pixels have seen some of the objects only."""
    sky = whole_sky(60)
    labels = sky.training_set(TARGETS)
    config = SMALL.model_copy(update={"min_steps": 8})
    network = fit_network(labels, targets=TARGETS, config=config, seed=1)
    features = extract(network, sky.inputs)
    head = fit_head(network, features, labels.values, labels.errors)
    some = sky.inputs.take(np.arange(12))
    assert some.has_image is not None
    assert not some.has_image.all()
    exact = exact_products(network, head, some)

    sketch = sketch_gradients(network, head, some, size=32_768).astype(np.float64)

    lengths = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    assert np.abs((sketch @ sketch.T - exact) / lengths).max() < 0.06

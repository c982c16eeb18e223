import pytest
import torch

from al_service.models.balance import FUSED, ModalityHeads
from al_service.models.streams import StreamNetwork
from al_service.posterior.blending import Blending
from tests.posterior.test_stream_fitting import SHAPE, sky


def blending(steps: int = 8) -> tuple[StreamNetwork, Blending]:
    """Heads that have learned nothing yet."""
    torch.manual_seed(0)
    network = StreamNetwork(SHAPE)
    heads = ModalityHeads(network.names, SHAPE.width, SHAPE.n_targets)
    return network, Blending(network, heads, (sky(), sky(seed=1)), steps)


def test_gains_of_all_heads_are_squared_errors_whatever_noise_is_said() -> None:
    """The fused head was measured by its likelihood, the others by their errors."""
    network, blended = blending()
    before = blended.losses()

    with torch.no_grad():
        list(network.noise.parameters())[-1].add_(2.0)

    assert blended.losses() == before
    data = sky(seed=1)
    with torch.no_grad():
        error = network(data.columns, data.present).mean - data.values
    expected = 0.5 * float((error**2).mean())
    assert before[FUSED].validation == pytest.approx(expected, rel=1e-5)


def test_heads_weigh_the_same_until_there_are_two_looks() -> None:
    network, blended = blending(steps=16)
    third = pytest.approx(1 / 3)

    blended.look(0)
    assert list(blended.weights.values()) == [third] * 3
    with torch.no_grad():
        network.head.bias.add_(10.0)
    blended.look(1)  # not yet: every second step
    assert list(blended.weights.values()) == [third] * 3
    blended.look(2)

    # The fused head has become worse, the others are as they were: nobody gained.
    assert list(blended.weights.values()) == [third] * 3
    with torch.no_grad():
        network.head.bias.sub_(10.0)
    blended.look(4)
    assert blended.weights[FUSED] > 0.9


def test_a_head_hears_objects_that_have_its_modality_only() -> None:
    _, blended = blending()
    data = sky(32)
    data.present["image"][16:] = False
    network = StreamNetwork(SHAPE)
    with torch.no_grad():
        said = network(data.columns, data.present)
    blended.weights = {FUSED: 0.0, "image": 1.0, "spectrum": 0.0}

    with torch.no_grad():
        whole = float(blended.blended(torch.tensor(1.0), said, data))
        data.values[16:] = 1e6
        again = float(blended.blended(torch.tensor(1.0), said, data))

    assert again == whole

import pytest
import torch

from al_service.models.balance import (
    FUSED,
    REBALANCE_STEPS,
    LearningSpeeds,
    Losses,
    blending_weights,
)
from al_service.models.streams import Reading, StreamNetwork, StreamShape


def losses(training: float, validation: float) -> Losses:
    return Losses(training, validation)


def test_a_head_that_gains_without_overfitting_is_heard_most() -> None:
    before = {name: losses(1.0, 1.0) for name in (FUSED, "image", "spectrum")}
    now = {
        FUSED: losses(0.5, 0.8),  # gains 0.2, gap grows by 0.3
        "image": losses(0.8, 0.9),  # gains 0.1, gap grows by 0.1
        "spectrum": losses(0.2, 1.1),  # gains nothing
    }

    weights = blending_weights(before, now)

    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["image"] / weights[FUSED] == pytest.approx(
        (0.1 / 0.1**2) / (0.2 / 0.3**2)
    )
    assert weights["spectrum"] == pytest.approx(0.01 * weights["image"])


def test_heads_that_all_gain_nothing_share_equally() -> None:
    before = {name: losses(1.0, 1.0) for name in ("image", "spectrum")}
    now = {name: losses(0.9, 1.2) for name in before}

    assert blending_weights(before, now) == {"image": 0.5, "spectrum": 0.5}


def small_network() -> StreamNetwork:
    torch.manual_seed(0)
    readings = {"image": Reading.COLUMNS, "spectrum": Reading.COLUMNS}
    return StreamNetwork(
        StreamShape(readings, {"image": 3, "spectrum": 3}, n_targets=1, width=8)
    )


def step(network: StreamNetwork, *, spectrum_scale: float) -> dict[str, torch.Tensor]:
    """Gradients of a label that only the spectrum's columns tell."""
    columns = {"apertures": torch.randn(16, 3), "lines": torch.randn(16, 3)}
    present = dict.fromkeys(("image", "spectrum"), torch.ones(16, dtype=torch.bool))
    parts = network.encode(columns, present)
    network.zero_grad()
    said = network.join({**parts, "spectrum": parts["spectrum"] * spectrum_scale})
    torch.autograd.backward(((said.mean - columns["lines"][:, :1]) ** 2).mean())
    return parts


def test_help_goes_to_the_stream_beside_which_the_other_is_read() -> None:
    """It went to the stream that was read most itself, the one that crowds out."""
    speeds = LearningSpeeds(small_network())
    speeds.stream = {"image": 1.0, "spectrum": 1.0}
    speeds.reading = {"image": 1e-3, "spectrum": 1.0}

    chosen = [speeds.choose() for _ in range(REBALANCE_STEPS + 2)]

    assert chosen[:REBALANCE_STEPS] == ["image"] * REBALANCE_STEPS
    assert chosen[REBALANCE_STEPS] is None  # a usual step before more help
    assert chosen[REBALANCE_STEPS + 1] == "image"


def test_a_stream_that_learns_fast_by_itself_needs_no_help() -> None:
    speeds = LearningSpeeds(small_network())
    speeds.stream = {"image": 1e-3, "spectrum": 1.0}
    speeds.reading = {"image": 1.0, "spectrum": 1.0}

    assert speeds.choose() == "image"


def test_nobody_is_helped_before_there_were_enough_usual_steps() -> None:
    network = small_network()
    speeds = LearningSpeeds(network, helps_from=2)

    chosen = []
    for _ in range(2):
        speeds.note(step(network, spectrum_scale=1.0))
        chosen.append(speeds.choose())

    assert chosen[0] is None
    assert chosen[1] is not None


def test_help_ends_so_that_what_reads_both_has_seen_both() -> None:
    network = small_network()
    speeds = LearningSpeeds(network, helps_until=3)

    chosen = []
    for _ in range(6):
        speeds.note(step(network, spectrum_scale=1.0))
        speeds.reading["spectrum"] = 1e3
        chosen.append(speeds.choose())

    assert chosen == ["image", "image", None, None, None, None]


def test_steps_of_help_say_nothing_of_speeds() -> None:
    network = small_network()
    speeds = LearningSpeeds(network)
    speeds.note(step(network, spectrum_scale=1.0))
    before = dict(speeds.stream), dict(speeds.reading)

    speeds.helping = "image"
    speeds.note(step(network, spectrum_scale=1.0))

    assert (speeds.stream, speeds.reading) == before


def test_streams_that_learn_alike_are_left_alone() -> None:
    speeds = LearningSpeeds(small_network())
    speeds.stream = {"image": 1.0, "spectrum": 1.0}
    speeds.reading = {"image": 1.01, "spectrum": 1.0}

    assert speeds.choose() is None


def test_a_helped_stream_learns_alone_the_other_is_its_mean() -> None:
    network = small_network()
    speeds = LearningSpeeds(network)
    parts = step(network, spectrum_scale=1.0)
    speeds.note(parts)

    seen = speeds.alone(parts, "image")

    assert seen["image"] is parts["image"]
    assert not seen["spectrum"].requires_grad
    expected = parts["spectrum"].mean(dim=0).expand(16, -1)
    torch.testing.assert_close(seen["spectrum"], expected)

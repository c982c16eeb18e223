"""One vector from whatever an object has."""

import numpy as np
import pytest
import torch

from al_service.models.config import ModelConfig
from al_service.models.encoders import MemberLinear
from al_service.models.fusion import FusionNetwork, hide_modalities

SMALL = ModelConfig(dim=16, members=2, hidden=8, noise_hidden=4)


def network(n_in: int = 5, n_latents: int = 3) -> FusionNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FusionNetwork(SMALL, widths={"photometry": n_in}, n_latents=n_latents)


def test_features_and_noise_have_their_shapes() -> None:
    phi, log_noise = network()(
        {"photometry": torch.randn(7, 5)}, {"photometry": torch.ones(7).bool()}
    )
    assert phi.shape == (2, 7, 8)  # M x N x D/M
    assert log_noise.shape == (2, 7, 3)  # M x N x T


def test_what_an_absent_modality_would_have_said_cannot_matter() -> None:
    present = {"photometry": torch.tensor([True, False])}
    columns = torch.randn(2, 5)
    changed = columns.clone()
    changed[1] += 100.0
    one, _ = network()({"photometry": columns}, present)
    other, _ = network()({"photometry": changed}, present)
    assert torch.equal(one, other)


def test_an_image_says_the_same_among_those_without_one() -> None:
    """Pixels are copied only where somebody lacks them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = FusionNetwork(SMALL, widths={"apertures": 4}, n_latents=3).eval()
        columns = {"apertures": torch.randn(6, 4), "pixels": torch.randn(6, 5, 64, 64)}
    lacking = torch.tensor([True, True, False, True, False, True])
    everybody, _ = module(columns, {"image": torch.ones(6).bool()})
    some, _ = module(columns, {"image": lacking})
    torch.testing.assert_close(some[:, lacking], everybody[:, lacking])
    assert not torch.allclose(some[:, ~lacking], everybody[:, ~lacking])


def test_the_token_of_an_absent_modality_is_learned() -> None:
    module = network()
    phi, _ = module(
        {"photometry": torch.randn(2, 5)}, {"photometry": torch.zeros(2).bool()}
    )
    phi.sum().backward()
    gradient = module.tokens["photometry"].grad
    assert gradient is not None
    assert float(gradient.abs().sum()) > 0


def test_the_noise_branch_does_not_shape_the_features() -> None:
    module = network()
    _, log_noise = module(
        {"photometry": torch.randn(4, 5)}, {"photometry": torch.ones(4).bool()}
    )
    log_noise.sum().backward()
    assert all(weight.grad is None for weight in module.encoders.parameters())
    assert all(weight.grad is not None for weight in module.noise.parameters())


def test_members_know_nothing_of_each_other() -> None:
    layer = MemberLinear(3, 4, 2)
    x = torch.randn(5, 4)
    before = layer(x)
    with torch.no_grad():
        layer.weight[1] += 1.0
    after = layer(x)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])
    np.testing.assert_allclose(
        before[0].detach().numpy(),
        (x @ layer.weight[0] + layer.bias[0]).detach().numpy(),
        rtol=1e-5,
    )


def test_hiding_never_takes_the_last_modality_and_never_invents_one() -> None:
    n = 4_000
    generator = torch.Generator().manual_seed(0)
    present = {
        "image": torch.ones(n).bool(),
        "spectrum": torch.rand(n, generator=generator) < 0.5,
    }
    kept = hide_modalities(present, {"image": 0.15, "spectrum": 0.3}, generator)
    assert (kept["image"] | kept["spectrum"]).all()
    assert not (kept["spectrum"] & ~present["spectrum"]).any()
    both = present["spectrum"]
    assert (~kept["image"] & ~both).sum() == 0
    hidden = float((~kept["spectrum"] & both).sum() / both.sum())
    # Rows that lost both get both back: 0.3 (1 - 0.15).
    assert hidden == pytest.approx(0.3 * 0.85, abs=0.03)


def test_now_and_then_one_modality_is_shown_alone_whichever_it_is() -> None:
    n = 6000
    present = {
        "photometry": torch.ones(n).bool(),
        "image": torch.ones(n).bool(),
        "spectrum": torch.arange(n) < n // 2,
    }
    rates = dict.fromkeys(present, 0.0)
    kept = hide_modalities(present, rates, torch.Generator().manual_seed(0), alone=0.25)
    flags = torch.stack(list(kept.values()))
    had = torch.stack(list(present.values()))
    assert not (flags & ~had).any()
    alone = flags.sum(dim=0) == 1
    assert (flags[:, ~alone] == had[:, ~alone]).all()
    for rows, shares in (
        (slice(0, n // 2), (1 / 3, 1 / 3, 1 / 3)),
        (slice(n // 2, n), (1 / 2, 1 / 2, 0.0)),
    ):
        assert float(alone[rows].float().mean()) == pytest.approx(0.25, abs=0.03)
        shown = flags[:, rows][:, alone[rows]].float().mean(dim=1).tolist()
        assert shown == pytest.approx(shares, abs=0.07)

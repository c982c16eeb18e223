from dataclasses import replace

import pytest
import torch

from al_service.models.balance import Balance
from al_service.models.streams import Reading, StreamShape
from al_service.posterior.stream_data import StreamData
from al_service.posterior.stream_fitting import (
    StreamSchedule,
    beta_nll,
    fit_streams,
    passed,
)
from al_service.posterior.variational import WeightGuide, fit_guide, passed_with

SHAPE = StreamShape(
    {"image": Reading.COLUMNS, "spectrum": Reading.COLUMNS},
    {"image": 2, "spectrum": 2},
    n_targets=1,
    width=16,
)
SCHEDULE = StreamSchedule(epochs=1, min_steps=120, batch=64)


def sky(n: int = 256, seed: int = 0) -> StreamData:
    """A label that is the sum of a column of the image and one of the spectrum."""
    generator = torch.Generator().manual_seed(seed)
    columns = {
        name: torch.randn(n, 2, generator=generator) for name in ("apertures", "lines")
    }
    truth = columns["apertures"][:, :1] + columns["lines"][:, :1]
    noise = 0.1 * torch.randn(n, 1, generator=generator)
    flags = dict.fromkeys(("image", "spectrum"), torch.ones(n, dtype=torch.bool))
    known = torch.ones(n, 1, dtype=torch.bool)
    return StreamData(columns, flags, truth + noise, known, torch.zeros(n, 1))


@pytest.mark.parametrize("balance", list(Balance))
def test_every_balance_learns_what_both_modalities_tell(balance: Balance) -> None:
    network = fit_streams(
        SHAPE, sky(), sky(seed=1), replace(SCHEDULE, balance=balance), seed=3
    )

    fresh = sky(seed=2)
    mean, _, _ = passed(network, fresh)
    assert float(((mean - fresh.values) ** 2).mean()) < 0.5 * float(fresh.values.var())


def test_the_same_seed_gives_the_same_network() -> None:
    short = replace(SCHEDULE, min_steps=5)

    one, same, other = (
        fit_streams(SHAPE, sky(), sky(seed=1), short, seed=seed) for seed in (1, 1, 2)
    )

    means = [passed(network, sky(seed=2))[0] for network in (one, same, other)]
    torch.testing.assert_close(means[0], means[1], rtol=0, atol=0)
    assert not torch.allclose(means[0], means[2])


def test_unknown_labels_change_no_loss() -> None:
    data = sky(8)
    half = data.known.clone()
    half[4:] = False
    wild = torch.where(half, data.values, torch.full_like(data.values, 1e6))
    zero = torch.zeros(8, 1)

    loss = beta_nll(zero, zero, replace(data, values=wild, known=half), 0.5)

    assert float(loss) == pytest.approx(
        float(beta_nll(zero[:4], zero[:4], data.take(slice(0, 4)), 0.5))
    )


def test_drawn_weights_agree_with_the_labels_and_differ_from_each_other() -> None:
    network = fit_streams(SHAPE, sky(), sky(seed=1), SCHEDULE, seed=3)

    guide = fit_guide(network, sky(), replace(SCHEDULE, min_steps=200), seed=0)

    fresh = sky(seed=2)
    draws = torch.stack(
        [
            passed_with(
                network, guide.draw(torch.Generator().manual_seed(seed)), fresh
            ).mean.detach()
            for seed in range(8)
        ]
    )
    spread = float(draws.std(dim=0).mean())
    assert 0.0 < spread < float(fresh.values.std())
    error = float(((draws.mean(dim=0) - fresh.values) ** 2).mean())
    assert error < 0.5 * float(fresh.values.var())


def test_weights_of_which_no_label_speaks_spread_out_to_their_prior() -> None:
    """Spreads had been given, not learned: no step could move them far enough."""
    network = fit_streams(SHAPE, sky(), sky(seed=1), SCHEDULE, seed=3)
    silent = replace(sky(), known=torch.zeros(256, 1, dtype=torch.bool))

    told, untold = (
        fit_guide(network, data, replace(SCHEDULE, min_steps=600), seed=0)
        for data in (sky(), silent)
    )

    name = "head.weight"
    prior = float((told.location[name] ** 2).mean().sqrt())
    assert float(untold.log_scale[name].exp().median()) > 0.5 * prior
    assert float(told.log_scale[name].exp().median()) < 0.3 * prior


def test_a_guide_draws_the_same_network_in_whatever_order_it_was_stored() -> None:
    network = fit_streams(
        SHAPE, sky(), sky(seed=1), replace(SCHEDULE, min_steps=2), seed=3
    )
    guide = fit_guide(network, sky(), replace(SCHEDULE, min_steps=2), seed=0)
    turned = WeightGuide(
        dict(reversed(guide.location.items())), dict(reversed(guide.log_scale.items()))
    )

    one, other = (
        each.draw(torch.Generator().manual_seed(5)) for each in (guide, turned)
    )

    assert all(torch.equal(one[name], other[name]) for name in guide.location)

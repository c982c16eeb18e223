"""Training of the comparison's networks: one schedule for all of them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn

from al_service.features.augmentation import augmented
from al_service.models.balance import Balance, LearningSpeeds, ModalityHeads
from al_service.models.fusion import hide_modalities
from al_service.models.streams import Said, StreamNetwork, StreamShape
from al_service.posterior.blending import Blending
from al_service.posterior.optimizing import RunningAverage
from al_service.posterior.stream_data import StreamData

_HELPED_SHARE: Final = 0.5
"""Of the steps, from the first: in which rebalancing may help. To the end, two equal
modalities gave a fused error of 0.60 instead of 0.34, half of the way none was lost."""


@dataclass(frozen=True)
class StreamSchedule:
    """How a network is trained."""

    epochs: int
    min_steps: int
    batch: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    ema: float = 0.99
    clip: float = 5.0
    beta: float = 0.5
    """Beta-NLL (Seitzer et al. 2022)."""
    hiding: Mapping[str, float] = field(default_factory=dict)
    """Modality to how often training hides it where another one is there."""
    balance: Balance = Balance.NONE

    def steps(self, n: int) -> int:
        """Optimizer steps for `n` objects."""
        return max(self.min_steps, self.epochs * self.pass_steps(n))

    def pass_steps(self, n: int) -> int:
        """Optimizer steps of one pass over `n` objects."""
        return math.ceil(n / min(self.batch, n))


def fit_streams(
    shape: StreamShape,
    training: StreamData,
    validation: StreamData,
    schedule: StreamSchedule,
    *,
    seed: int,
) -> StreamNetwork:
    """Train a network; the same arguments give the same network.

    Args:
        shape: of the network.
        training: what it learns from.
        validation: what blending looks at; nothing else does.
        schedule: how.
        seed: of its start and of everything random in the training.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = StreamNetwork(shape)
        heads = ModalityHeads(network.names, shape.width, shape.n_targets)
        _train(network, heads, training, validation, schedule)
    network.requires_grad_(requires_grad=False).eval()
    return network


def beta_nll(mean: Tensor, log_noise: Tensor, data: StreamData, beta: float) -> Tensor:
    """Mean over known labels; the gradient of noisy ones is not drowned by the rest."""
    total = log_noise.exp() + data.error_variance
    nll = 0.5 * ((data.values - mean) ** 2 / total + total.log())
    weighted = nll * total.detach() ** beta * data.known
    return weighted.sum() / data.known.sum().clamp(min=1)


def batches(n: int, batch: int, steps: int) -> Iterator[Tensor]:
    """Rows of `steps` batches: passes over all objects, each in a new order."""
    rows = torch.empty(0, dtype=torch.int64)
    size = min(batch, n)
    for _ in range(steps):
        if len(rows) < size:
            rows = torch.randperm(n)
        yield rows[:size]
        rows = rows[size:]


def varied(drawn: StreamData, schedule: StreamSchedule) -> StreamData:
    """The same objects turned, shifted, shortened, some modalities hidden."""
    generator = torch.default_generator
    present = drawn.present
    if schedule.hiding and len(present) > 1:
        rates = {name: schedule.hiding.get(name, 0.0) for name in present}
        present = hide_modalities(present, rates, generator)
    columns = augmented(drawn.columns, generator)
    return StreamData(columns, present, drawn.values, drawn.known, drawn.error_variance)


def _train(
    network: StreamNetwork,
    heads: ModalityHeads,
    training: StreamData,
    validation: StreamData,
    schedule: StreamSchedule,
) -> None:
    steps = schedule.steps(len(training))
    weights = [*network.parameters(), *heads.parameters()]
    adamw = torch.optim.AdamW(
        weights,
        lr=schedule.learning_rate,
        weight_decay=schedule.weight_decay,
        fused=True,
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        adamw, max_lr=schedule.learning_rate, total_steps=max(steps, 2)
    )
    average = RunningAverage(weights, schedule.ema)
    blending = None
    if schedule.balance is Balance.GRADIENT_BLENDING:
        blending = Blending(network, heads, (training, validation), steps)
    speeds = LearningSpeeds(
        network,
        helps_from=2 * schedule.pass_steps(len(training)),
        helps_until=_HELPED_SHARE * steps,
    )
    greedy = schedule.balance is Balance.GREEDY_REBALANCING
    helped: str | None = None
    for step, rows in enumerate(batches(len(training), schedule.batch, steps)):
        drawn = varied(training.take(rows), schedule)
        parts = network.encode(drawn.columns, drawn.present)
        seen = parts if helped is None else speeds.alone(parts, helped)
        said = network.join(seen)
        loss = beta_nll(said.mean, said.log_noise, drawn, schedule.beta)
        if blending is not None:
            blending.look(step)
            loss = blending.blended(loss, said, drawn)
        adamw.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if greedy:
            speeds.note(parts)
            helped = speeds.choose()
        torch.nn.utils.clip_grad_norm_(weights, schedule.clip)
        adamw.step()
        cycle.step()
        average.update()
    average.store()


def passed(network: nn.Module, data: StreamData) -> tuple[Tensor, Tensor, Tensor]:
    """Means and log noise `N x T` and features `N x D` of all objects."""
    with torch.no_grad():
        found: list[Said] = [
            network(some.columns, some.present) for some in data.parts()
        ]
    return (
        torch.cat([said.mean for said in found]),
        torch.cat([said.log_noise for said in found]),
        torch.cat([said.features for said in found]),
    )

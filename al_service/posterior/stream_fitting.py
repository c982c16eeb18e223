"""Training of the comparison's networks: one schedule for all of them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn

from al_service.features.augmentation import augmented
from al_service.models.balance import (
    FUSED,
    Balance,
    LearningSpeeds,
    Losses,
    ModalityHeads,
    blending_weights,
)
from al_service.models.fusion import hide_modalities
from al_service.models.streams import Said, StreamNetwork, StreamShape
from al_service.posterior.optimizing import RunningAverage

CHUNK_ROWS: Final = 256
"""Objects that pass a network at a time where nothing is learned."""

_LOOKS: Final = 8
"""How often blending weighs its heads anew."""


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
        return max(self.min_steps, self.epochs * math.ceil(n / min(self.batch, n)))


@dataclass(frozen=True)
class StreamData:
    """`N` labeled objects, labels of zero mean and unit spread."""

    columns: Mapping[str, Tensor]
    """Scaled columns and pixels by name, pixels maybe in half precision."""
    present: Mapping[str, Tensor]
    """Modality to `N` flags."""
    values: Tensor
    """`N x T`, anything where not known."""
    known: Tensor
    """`N x T` flags."""
    error_variance: Tensor
    """`N x T` of the labels themselves."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Tensor | slice) -> "StreamData":
        """Some of the objects, everything in single precision."""
        return StreamData(
            {name: part[rows].float() for name, part in self.columns.items()},
            {name: part[rows] for name, part in self.present.items()},
            self.values[rows],
            self.known[rows],
            self.error_variance[rows],
        )

    def parts(self) -> Iterator["StreamData"]:
        """All objects in order, some at a time."""
        for start in range(0, len(self), CHUNK_ROWS):
            yield self.take(slice(start, start + CHUNK_ROWS))


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
    blending = _Blending(network, heads, training, validation, schedule, steps)
    speeds = LearningSpeeds(network)
    greedy = schedule.balance is Balance.GREEDY_REBALANCING
    helped: str | None = None
    for step, rows in enumerate(batches(len(training), schedule.batch, steps)):
        blending.look(step)
        drawn = _varied(training.take(rows), schedule)
        parts = network.encode(drawn.columns, drawn.present)
        seen = parts if helped is None else speeds.alone(parts, helped)
        loss = blending.loss(network.join(seen), drawn)
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


def _varied(drawn: StreamData, schedule: StreamSchedule) -> StreamData:
    """The same objects turned, shifted, shortened, some modalities hidden."""
    generator = torch.default_generator
    present = drawn.present
    if schedule.hiding and len(present) > 1:
        rates = {name: schedule.hiding.get(name, 0.0) for name in present}
        present = hide_modalities(present, rates, generator)
    columns = augmented(drawn.columns, generator)
    return StreamData(columns, present, drawn.values, drawn.known, drawn.error_variance)


class _Blending:
    """The loss: of the fused head alone, or blended with one of each modality."""

    def __init__(
        self,
        network: StreamNetwork,
        heads: ModalityHeads,
        training: StreamData,
        validation: StreamData,
        schedule: StreamSchedule,
        steps: int,
    ) -> None:
        self._network, self._heads = network, heads
        self._schedule = schedule
        self._active = schedule.balance is Balance.GRADIENT_BLENDING
        self._every = max(steps // _LOOKS, 1)
        if self._active:
            self._watched = [
                data.take(slice(0, CHUNK_ROWS)) for data in (training, validation)
            ]
        self._before: dict[str, Losses] | None = None
        names = (FUSED, *network.names)
        self.weights = dict.fromkeys(names, 1.0 / len(names))

    def look(self, step: int) -> None:
        """Weigh the heads anew if it is time for that."""
        if not self._active or step % self._every:
            return
        now = self._losses()
        if self._before is not None:
            self.weights = blending_weights(self._before, now)
        self._before = now

    def loss(self, said: Said, data: StreamData) -> Tensor:
        """Of one batch."""
        fused = beta_nll(said.mean, said.log_noise, data, self._schedule.beta)
        if not self._active:
            return fused
        losses = {FUSED: fused, **self._alone(said, data)}
        blended = [self.weights[name] * loss for name, loss in losses.items()]
        return torch.stack(blended).sum()

    def _alone(self, said: Said, data: StreamData) -> dict[str, Tensor]:
        """Squared errors of each modality's own head on objects that have it."""
        found = {}
        for name, mean in self._heads(said.parts).items():
            counted = data.known & data.present[name][:, None]
            squared = 0.5 * (data.values - mean) ** 2 * counted
            found[name] = squared.sum() / counted.sum().clamp(min=1)
        return found

    @torch.no_grad()
    def _losses(self) -> dict[str, Losses]:
        self._network.eval()
        of_side = []
        for data in self._watched:
            said = self._network(data.columns, data.present)
            fused = beta_nll(said.mean, said.log_noise, data, self._schedule.beta)
            of_side.append({FUSED: fused, **self._alone(said, data)})
        self._network.train()
        training, validation = of_side
        return {
            name: Losses(float(training[name]), float(validation[name]))
            for name in training
        }


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

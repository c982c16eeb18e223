"""Two campaigns side by side over HTTP: ask, label, retrain, look."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from al_service.cli.demo_surveys import DemoSky
from al_service.client import Batch, Client, CurvePoint, Run
from al_service.errors import ALServiceError
from al_service.survey.pool_arrays import PoolArrays

RANDOM: Final = "random"

Answer = TypeVar("Answer")

PATIENCE_SECONDS: Final = 300.0
"""Without any progress for so long a run is stuck: it reports every few seconds."""

LOOK_SECONDS: Final = 0.5


class NoTraining(ALServiceError):
    """The training that the demo waits for failed, or never came."""


@dataclass(frozen=True)
class Plan:
    """How many labels, in how many steps, on which sky."""

    sky: DemoSky
    rounds: int
    initial: int
    batch: int
    seed: int

    def n_labels(self, number: int) -> int:
        """Labels of each campaign in a round; round 0 has the initial ones."""
        return self.initial + number * self.batch


@dataclass(frozen=True)
class Duel:
    """The two campaigns."""

    plan: Plan
    strategy: str
    active: str
    """Name of the campaign that the strategy asks for."""
    random: str
    """Name of its control."""


@dataclass(frozen=True)
class KnownLabels:
    """The automatic observer: it knows what the pool knows of every galaxy."""

    values: Mapping[str, Mapping[str, float]]
    """Object to target to value."""
    source: str
    """Of all labels."""

    @classmethod
    def of_pool(cls, arrays: PoolArrays, *, source: str) -> Self:
        """Everything that the pool knows."""
        known = np.isfinite(arrays.known_values)
        return cls(
            {
                str(arrays.object_ids[row]): {
                    target: float(arrays.known_values[row, column])
                    for column, target in enumerate(arrays.targets)
                    if known[row, column]
                }
                for row in range(len(arrays))
            },
            source,
        )

    def __len__(self) -> int:
        return len(self.values)

    def observe(self, batch: Batch) -> list[dict[str, Any]]:  # labels as the API takes
        """The labels of a batch."""
        return [
            {
                "object_id": item.object_id,
                "values": dict(self.values[item.object_id]),
                "source": self.source,
            }
            for item in batch.items
        ]


@dataclass(frozen=True)
class Trained:
    """What a campaign's model was worth after a round."""

    full: Run
    """The network's training on exactly the labels of this round."""
    served: Run
    """The run that serves after it: that one, or a better refit of the last layer."""
    points: Sequence[CurvePoint]
    """Of the run that serves, with intervals."""

    @property
    def metrics(self) -> Mapping[str, Mapping[str, float | None]]:
        """Target to metric to value, of the model that serves."""
        found: Mapping[str, Mapping[str, float | None]]
        found = (self.served.metrics or {}).get("targets", {})
        return found


@dataclass(frozen=True)
class Round:
    """One turn of both campaigns."""

    number: int
    n_labels: int
    active: Trained
    random: Trained
    ask_seconds: float
    tell_seconds: float


@dataclass(frozen=True)
class Watch:
    """The progress bar over all models of the demo."""

    progress: Progress
    bar: TaskID

    def show(self, number: int, n_labels: int, share: float) -> None:
        """Note which share of a round's two models is trained."""
        self.progress.update(
            self.bar,
            completed=2 * number + share,
            description=f"round {number}: training on {n_labels} labels",
        )


def open_duel(client: Client, plan: Plan, pool: str) -> Duel:
    """Open two campaigns that differ in their strategy only, under unused names."""
    taken = {campaign["name"] for campaign in client.campaigns()}
    number = 1
    while {f"demo-{number}-active", f"demo-{number}-random"} & taken:
        number += 1
    options: dict[str, Any] = {  # of the API
        "pool": pool,
        "seed": plan.seed,
        # The network is trained once a round, on exactly that round's labels.
        "retrain": {
            "full": {"labels": min(plan.batch, plan.initial), "seconds": 3600},
            "head": {"labels": 1, "seconds": 2},
        },
        **plan.sky.options,
    }
    active = client.create_campaign(f"demo-{number}-active", **options)
    random = client.create_campaign(f"demo-{number}-random", strategy=RANDOM, **options)
    return Duel(plan, active["strategy"]["name"], active["name"], random["name"])


def play(
    client: Client, duel: Duel, observer: KnownLabels, console: Console
) -> Iterator[Round]:
    """Play every round; each is given away as soon as both models are trained."""
    with _progress(console) as progress:
        bar = progress.add_task("", total=2 * (duel.plan.rounds + 1))
        for number in range(duel.plan.rounds + 1):
            ask_seconds, tell_seconds = _label(client, duel, observer, number)
            n_labels = duel.plan.n_labels(number)
            trained = _wait_for_both(client, duel, number, Watch(progress, bar))
            yield Round(
                number=number,
                n_labels=n_labels,
                active=trained[duel.active],
                random=trained[duel.random],
                ask_seconds=ask_seconds,
                tell_seconds=tell_seconds,
            )


def _label(
    client: Client, duel: Duel, observer: KnownLabels, number: int
) -> tuple[float, float]:
    """Ask and tell once in both campaigns; seconds that the active one's calls took."""
    if number == 0:
        # The control's first objects are a random sample: both campaigns get them.
        first, asking = _timed(lambda: client.ask(duel.random, duel.plan.initial))
        labels = observer.observe(first)
        client.tell(duel.random, labels, batch_id=first.id)
        _, telling = _timed(lambda: client.tell(duel.active, labels))
        return asking, telling
    size = duel.plan.batch
    control = client.ask(duel.random, size)
    client.tell(duel.random, observer.observe(control), batch_id=control.id)
    batch, asking = _timed(lambda: client.ask(duel.active, size))
    _, telling = _timed(
        lambda: client.tell(duel.active, observer.observe(batch), batch_id=batch.id)
    )
    return asking, telling


def _timed(call: Callable[[], Answer]) -> tuple[Answer, float]:
    started = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - started


def _wait_for_both(
    client: Client, duel: Duel, number: int, watch: Watch
) -> dict[str, Trained]:
    """Both campaigns once nothing runs any more that knows a round's labels."""
    n_labels = duel.plan.n_labels(number)
    seen, deadline = 0.0, time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        trainings = {
            name: _training_on(client, name, n_labels)
            for name in (duel.active, duel.random)
        }
        share = sum(_share(run) for run in trainings.values())
        watch.show(number, n_labels, share)
        if share != seen:
            seen, deadline = share, time.monotonic() + PATIENCE_SECONDS
        settled = {
            name: _settled(client, name, run)
            for name, run in trainings.items()
            if run is not None and run.finished
        }
        ended = {name: one for name, one in settled.items() if one is not None}
        if len(ended) == len(trainings):
            return ended
        time.sleep(LOOK_SECONDS)
    raise NoTraining(
        f"no progress with {n_labels} labels for {PATIENCE_SECONDS:.0f} s: {trainings}"
    )


def _training_on(client: Client, campaign: str, n_labels: int) -> Run | None:
    """The newest full run on exactly so many labels, if one is planned already."""
    for run in client.runs(campaign):
        if run.kind == "full":
            if run.n_labels != n_labels:
                return None
            if run.state in {"failed", "canceled"}:
                raise NoTraining(f"run {run.id} of {campaign}: {run.message}")
            return run
    return None


def _settled(client: Client, campaign: str, full: Run) -> Trained | None:
    """What serves now; None while another run could still change that."""
    status = client.campaign(campaign)
    if status["live_runs"] or status["served_run"] is None:
        return None
    served = Run.of(status["served_run"])
    points = [
        point
        for point in client.curve(campaign).points
        if point.run_id == served.id and point.arm == "active"
    ]
    return Trained(full, served, points)


def _share(run: Run | None) -> float:
    if run is None:
        return 0.0
    return 1.0 if run.finished else run.progress


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.1f}/{task.total:.0f} models"),
        TimeElapsedColumn(),
        TextColumn("to go"),
        TimeRemainingColumn(),
        console=console,
    )

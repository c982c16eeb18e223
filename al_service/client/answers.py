"""What the service answers, as frozen values; fields of newer services are ignored."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

Json = Mapping[str, Any]  # an answer of the service: any shape


@dataclass(frozen=True)
class Prediction:
    """What the model says of one target of one object, in the target's unit."""

    mean: float
    epistemic: float
    """Standard deviation owed to the model's ignorance."""
    aleatoric: float
    """Standard deviation owed to the data."""
    interval90: tuple[float, float]
    calibrated: bool
    spectrum_saves: float | None = None
    """Expected fall of the standard deviation if a spectrum were taken; None for
    objects that have one, or where nothing is known."""

    @classmethod
    def of(cls, answer: Json) -> Self:
        """Read one prediction."""
        low, high = answer["interval90"]
        return cls(**{**_known(cls, answer), "interval90": (low, high)})


@dataclass(frozen=True)
class Item:
    """One object to label."""

    object_id: str
    ra: float
    """ICRS, degrees."""
    dec: float
    """ICRS, degrees."""
    rank: int | None
    reason: str
    score: float | None
    prediction: dict[str, Prediction] | None
    """By target; None before the first run."""
    held: bool
    """Whether the batch still reserves it: neither labeled nor lost."""

    @classmethod
    def of(cls, answer: Json) -> Self:
        """Read one item."""
        told = answer["prediction"]
        prediction = told and {key: Prediction.of(one) for key, one in told.items()}
        return cls(**{**_known(cls, answer), "prediction": prediction})


@dataclass(frozen=True)
class Batch:
    """Objects reserved for one labeler until `expires_at`."""

    id: int
    campaign: str
    labeler: str
    state: str
    opened_at: datetime
    expires_at: datetime
    run_id: int | None
    exhausted: bool
    items: tuple[Item, ...]

    @classmethod
    def of(cls, answer: Json) -> Self:
        """Read one batch."""
        items = tuple(Item.of(item) for item in answer["items"])
        return cls(**{**_known(cls, _with_times(answer)), "items": items})


@dataclass(frozen=True)
class LabelCheck:
    """What the scan of its object's spectrum says to a label's redshift."""

    scan_z: float
    scan_class: str
    """GALAXY, QSO or STAR."""
    confidence: float
    """Probability that the scan is right."""
    dz: float
    """(z of the label - z of the scan) / (1 + z of the scan)."""
    disagrees: bool
    """The label deserves a second look."""

    @classmethod
    def of(cls, answer: Json) -> Self:
        """Read one check."""
        return cls(**_known(cls, answer))


@dataclass(frozen=True)
class Label:
    """One stored label."""

    id: int
    object_id: str
    values: dict[str, float]
    errors: dict[str, float]
    quality: int
    labeler: str
    source: str
    note: str | None
    batch_id: int | None
    late: bool
    supersedes_id: int | None
    superseded_by: int | None
    """The label that corrects this one; None while it is current."""
    created_at: datetime
    check: LabelCheck | None = None
    """None where label or scan say nothing of a redshift."""

    @classmethod
    def of(cls, answer: Json) -> Self:
        """Read one label."""
        told = answer.get("check")
        check = None if told is None else LabelCheck.of(told)
        return cls(**{**_known(cls, _with_times(answer)), "check": check})


FINISHED = frozenset({"published", "refused", "failed", "canceled"})
"""States in which nothing will happen to a run any more."""


@dataclass(frozen=True)
class Run:
    """One background job."""

    id: int
    campaign: str
    kind: str
    state: str
    n_labels: int
    progress: float
    eta_seconds: float | None
    stale: bool
    """Running, but its worker has fallen silent: somebody else will take it up."""
    attempts: int
    message: str | None
    metrics: dict[str, Any] | None  # whatever the run measured
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def finished(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.state in FINISHED

    @classmethod
    def of(cls, answer: Json) -> Self:
        """Read one run."""
        return cls(**_known(cls, _with_times(answer)))


@dataclass(frozen=True)
class CurvePoint:
    """One metric of one arm after one run, with its 95 % interval."""

    run_id: int
    arm: str
    target: str
    metric: str
    n_labels: int
    n_evaluation: int
    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, answer: Json) -> Self:
        """Read one point."""
        return cls(**_known(cls, answer))


@dataclass(frozen=True)
class Curve:
    """A campaign's learning curve."""

    campaign: str
    points: tuple[CurvePoint, ...]
    warnings: tuple[str, ...]
    answer: Json
    """All that the service said, as it said it."""

    def of_arm(self, arm: str, target: str, metric: str) -> tuple[CurvePoint, ...]:
        """The points of one line, by number of labels."""
        wanted = (arm, target, metric)
        found = [
            point
            for point in self.points
            if (point.arm, point.target, point.metric) == wanted
        ]
        return tuple(sorted(found, key=lambda point: (point.n_labels, point.run_id)))

    @classmethod
    def of(cls, answer: Json) -> Self:
        """Read one curve."""
        points = tuple(CurvePoint.of(point) for point in answer["points"])
        warnings = tuple(answer.get("warnings", ()))
        return cls(answer["campaign"], points, warnings, answer)


def _known(kind: type, answer: Json) -> dict[str, Any]:
    """The members that this version of the client knows."""
    return {one.name: answer[one.name] for one in fields(kind) if one.name in answer}


def _with_times(answer: Json) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value)
        if name.endswith("_at") and value is not None
        else value
        for name, value in answer.items()
    }

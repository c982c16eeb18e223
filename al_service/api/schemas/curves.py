"""Learning curves."""

from datetime import datetime

from al_service.api.schemas.fields import Output
from db.vocabulary import Arm, RunKind


class CurvePoint(Output):
    """One metric of one arm after one run, with its 95 % interval."""

    run_id: int
    kind: RunKind
    arm: Arm
    """`active` is the served model; `random` and `active_matched` are controls that
    were trained on equal numbers of labels."""
    target: str
    metric: str
    n_labels: int
    n_evaluation: int
    """Evaluation labels behind the value."""
    value: float
    low: float | None
    high: float | None
    finished_at: datetime | None


class Saving(Output):
    """The strategy against random on one target, at equal numbers of labels."""

    metric: str
    """The error that is compared."""
    n_labels: int
    """Labels behind the last pair of points."""
    label_ratio: float | None
    """Labels needed for random's final error over random's; null: not reached."""
    labels_saved: float | None
    """Random's labels less those; null: not reached."""
    error_ratio: float
    """Geometric mean over the rounds after the first; less than 1 is better."""


class LearningCurve(Output):
    """How good the published models were, over the labels they knew."""

    campaign: str
    points: list[CurvePoint]
    n_evaluation: int
    """Evaluation labels behind the newest points."""
    against_random: dict[str, Saving | None]
    """By target; null while there are fewer than two pairs of control points."""
    warnings: list[str]
    """What has to be said about the curve."""

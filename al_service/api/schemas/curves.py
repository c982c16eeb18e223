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


class SavingInterval(Output):
    """How sure a saving is: the galaxies that examine, drawn again in pairs.

    Ends of 95 % intervals; null where random's final error was not reached. Another
    campaign would have brought other labels: that is no part of it.
    """

    label_ratio: tuple[float | None, float | None]
    labels_saved: tuple[float | None, float | None]
    error_ratio: tuple[float | None, float | None]


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
    intervals: SavingInterval | None
    """Null where the arms were not compared on the same galaxies."""


class PopulationError(Output):
    """The error on the whole pool, from every label that was told."""

    metric: str
    value: float
    low: float
    """Lower end of the 95 % interval."""
    high: float
    n_draws: int
    """Random draws with an answer: each stands for all objects that were free."""
    n_labels: int
    """Answers of all kinds, the strategy's among them."""
    first_run_id: int
    """The first of the runs whose predictions are judged."""
    last_run_id: int


class Share(Output):
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


class CoverageBin(Output):
    """How intervals of one target cover the objects of a range."""

    by: str
    """`predicted_redshift` or `magnitude_r` (corrected for extinction)."""
    target: str
    low: float
    """The smallest value of the range."""
    high: float
    n: int
    """Evaluation objects that did not calibrate the intervals."""
    coverage68: Share
    coverage95: Share


class LearningCurve(Output):
    """How good the published models were, over the labels they knew."""

    campaign: str
    points: list[CurvePoint]
    n_evaluation: int
    """Evaluation labels behind the newest points."""
    against_random: dict[str, Saving | None]
    """By target; null while there are fewer than two pairs of control points."""
    population: dict[str, PopulationError | None]
    """By target: the error of the predictions with which objects were handed out, on
    the pool that they were drawn from; null: too few random draws have come back."""
    coverage: list[CoverageBin]
    """Of the served model, in ranges of redshift and of magnitude with equally many
    objects each; empty while there are too few evaluation labels."""
    warnings: list[str]
    """What has to be said about the curve."""

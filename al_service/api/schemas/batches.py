"""Query batches: what to observe next, and why."""

from datetime import datetime

from pydantic import Field

from al_service.api.schemas.fields import Input, Output
from al_service.rounds.leasing import LARGEST_BATCH, LONGEST_LEASE_SECONDS
from db.vocabulary import LeaseState


class NewBatch(Input):
    """What a labeler asks for."""

    size: int = Field(default=1, ge=1, le=LARGEST_BATCH)
    lease_seconds: float | None = Field(
        default=None, gt=0, le=LONGEST_LEASE_SECONDS, allow_inf_nan=False
    )
    """How long the objects stay reserved; the service's default without it."""


class Renewal(Input):
    """How much longer a batch shall stay reserved, from now on."""

    lease_seconds: float | None = Field(
        default=None, gt=0, le=LONGEST_LEASE_SECONDS, allow_inf_nan=False
    )


class TargetPrediction(Output):
    """What the model says of one target of one object, in the target's unit."""

    mean: float
    epistemic: float
    """Standard deviation owed to the model's ignorance: labels reduce it."""
    aleatoric: float
    """Standard deviation owed to the data: no label reduces it."""
    interval90: tuple[float, float]
    calibrated: bool
    """Whether the interval was calibrated on evaluation labels."""
    spectrum_saves: float | None = None
    """By how much a spectrum is expected to lower the standard deviation, of both kinds
    together; null for objects that have one, or where too few others have."""


class BatchItem(Output):
    """One object to label."""

    object_id: str
    ra: float
    """Right ascension, ICRS, degrees."""
    dec: float
    """Declination, ICRS, degrees."""
    rank: int | None
    """Place in the strategy's order; null for objects it did not choose."""
    reason: str
    """Why it was handed out: the strategy's name, `random`, `cold_start`,
    `evaluation` or `overlap`."""
    score: float | None
    """Summed noise-normalized epistemic variance."""
    prediction: dict[str, TargetPrediction] | None
    """By target; null before the first run. Targets without any label are left out."""
    held: bool
    """Whether the batch still reserves it: neither labeled nor lost."""
    links: dict[str, str]
    """Where there is more about the object."""


class Batch(Output):
    """Objects reserved for one labeler until `expires_at`."""

    id: int
    campaign: str
    labeler: str
    state: LeaseState
    opened_at: datetime
    expires_at: datetime
    run_id: int | None
    """The run whose ranking was walked; null before the first."""
    exhausted: bool
    """Whether the pool has nothing more to hand out."""
    items: list[BatchItem]

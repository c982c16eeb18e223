"""Objects of the sky, as campaigns see them."""

from datetime import datetime

from al_service.api.schemas.batches import TargetPrediction
from al_service.api.schemas.fields import Output
from al_service.api.schemas.labels import Label
from db.vocabulary import CandidateState, Split


class ScoredObject(Output):
    """An object with what the served run says of it."""

    object_id: str
    ra: float
    """Right ascension, ICRS, degrees."""
    dec: float
    """Declination, ICRS, degrees."""
    state: CandidateState
    rank: int | None
    reason: str | None
    run_id: int | None
    score: float | None
    """Summed noise-normalized epistemic variance; null before the first prediction."""
    prediction: dict[str, TargetPrediction] | None


class HandOut(Output):
    """One time that the object was given to somebody."""

    batch_id: int
    labeler: str
    opened_at: datetime
    rank: int | None
    score: float | None
    reason: str


class Candidacy(Output):
    """The object in one campaign."""

    campaign: str
    state: CandidateState
    rank: int | None
    reason: str | None
    score: float | None
    run_id: int | None
    """The run that predicted it; null where the served run did not."""
    prediction: dict[str, TargetPrediction] | None
    handed_out: list[HandOut]
    labels: list[Label]


class SkyObject(Output):
    """One object with its history; known labels of the pool are not shown."""

    object_id: str
    pool: str
    group_id: str
    """The galaxy: repeat observations share it."""
    ra: float
    dec: float
    split: Split
    has_photometry: bool
    has_image: bool
    has_spectrum: bool
    links: dict[str, str]
    """`object`, and `image` and `spectrum` where it has them."""
    campaigns: list[Candidacy]

"""Labels: what somebody measured."""

from datetime import datetime

from pydantic import Field

from al_service.api.schemas.fields import Finite, Input, Name, Output, RowId, Text

MOST_LABELS = 10_000
"""Labels in one submission: one transaction, one answer."""


class NewLabel(Input):
    """One object's measured values, by target; a missing target is left out."""

    object_id: Name
    values: dict[str, Finite] = Field(max_length=100)
    """Target → value. Empty with quality 0: the object cannot be labeled."""
    errors: dict[str, Finite] | None = Field(default=None, max_length=100)
    """Target → standard deviation, in the target's unit."""
    quality: int = Field(default=4, ge=0, le=4)
    """0 nothing there … 4 confident; 3 and 4 train."""
    note: Text | None = None
    source: Name | None = None
    """Where the label comes from: an instrument, a pipeline, a person."""
    supersedes: RowId | None = None
    """The label that this one corrects."""


class NewLabels(Input):
    """Labels to store: all or none of them."""

    batch_id: RowId | None = None
    """The batch that they answer, if they answer one."""
    labels: list[NewLabel] = Field(min_length=1, max_length=MOST_LABELS)


class LabelCheck(Output):
    """What the scan of its object's spectrum says to a label's redshift."""

    scan_z: float
    scan_class: str
    """GALAXY, QSO or STAR."""
    confidence: float
    """Probability that the scan is right."""
    dz: float
    """(z of the label - z of the scan) / (1 + z of the scan)."""
    disagrees: bool
    """The scan is sure of something else: the label deserves a second look."""


class Label(Output):
    """One stored label; labels are corrected by new ones, never changed."""

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
    """Told for a batch that did not reserve the object for the labeler: after its time,
    or somebody else's batch. Kept, and flagged."""
    supersedes_id: int | None
    """The label that this one corrects."""
    superseded_by: int | None
    """The label that corrects this one; null while it is current."""
    created_at: datetime
    check: LabelCheck | None = None
    """Null where label or scan say nothing of a redshift."""


class StoredLabels(Output):
    """What a submission has become, in its order."""

    labels: list[Label]
    flagged: list[str] = Field(default_factory=list)
    """Objects whose labels deserve a second look: see `check`. They are stored."""

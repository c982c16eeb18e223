"""Campaigns: what is predicted, how, and what is asked."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from al_service.acquisition.strategies import StrategyConfig
from al_service.api.schemas.fields import Input, Name, Output
from al_service.api.schemas.runs import Run
from al_service.models.config import ModelConfig
from al_service.rounds import campaigns
from al_service.rounds.campaigns import RetrainPolicy
from al_service.survey.targets import Target
from db.vocabulary import CampaignState

CampaignName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=campaigns.NAME),
]
"""Letters, digits, `_`, `.` and `-`; not digits alone, which would be an id."""


def _named(value: object) -> object:
    """`"random"` stands for `{"name": "random"}`."""
    return {"name": value} if isinstance(value, str) else value


class ModelSettings(Input, ModelConfig):
    """The network and its training, from a client."""


class StrategySettings(Input, StrategyConfig):
    """How candidates are ordered, from a client."""


class RetrainSettings(Input, RetrainPolicy):
    """When the campaign trains, from a client."""


class NewCampaign(Input):
    """A campaign to open."""

    name: CampaignName
    pool: Name
    targets: list[Target] | None = Field(default=None, min_length=1)
    """What to predict; without it everything that the pool has known labels of, or all
    nine targets where it brings none."""
    model: ModelSettings = Field(default_factory=ModelSettings)
    strategy: Annotated[StrategySettings, BeforeValidator(_named)] = Field(
        default_factory=StrategySettings
    )
    retrain: RetrainSettings = Field(default_factory=RetrainSettings)
    random_share: float = Field(default=0.1, ge=0, le=1)
    """Probability that a slot of a batch is random."""
    overlap: int = Field(default=1, ge=1, le=9)
    """How many labelers are asked about one object."""
    budget: int | None = Field(default=None, ge=0, le=campaigns.LARGEST_NUMBER)
    """How many objects may be handed out; null: no limit."""
    evaluation_size: int = Field(default=campaigns.EVALUATION_SIZE, ge=0, le=1_000_000)
    """Objects that measure the model, where the pool brings no labels for them."""
    seed: int = Field(default=0, ge=0, le=campaigns.LARGEST_NUMBER)

    def as_rounds(self) -> campaigns.NewCampaign:
        """The same, with its configurations as versioned JSON."""
        return campaigns.NewCampaign.model_validate(self.model_dump(mode="json"))


class CampaignChange(Input):
    """What may be changed while a campaign runs; what is absent stays."""

    state: CampaignState | None = None
    retrain: RetrainSettings | None = None
    random_share: float | None = Field(default=None, ge=0, le=1)
    budget: int | None = Field(default=None, ge=0, le=campaigns.LARGEST_NUMBER)
    """Null takes the limit away."""

    @field_validator("state", "retrain", "random_share", mode="before")
    @classmethod
    def _is_there(cls, value: object) -> object:
        """What is absent stays; null is no way to say so."""
        if value is None:
            raise PydanticCustomError(
                "null", "expected a value, found null: leave it out to keep what is"
            )
        return value

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected at least one field to change, found none")
        return self

    def as_rounds(self) -> campaigns.CampaignChange:
        """The same, with what was not given still not set."""
        return campaigns.CampaignChange.model_validate(
            self.model_dump(mode="json", exclude_unset=True)
        )


class Counts(Output):
    """Where a campaign's objects and labels stand."""

    free: int
    """Pool objects that may be handed out."""
    leased: int
    labeled: int
    """Pool objects out of the queue, whatever the quality of their labels."""
    evaluation_asked: int
    """Objects that examine and may be asked for, labeled or not."""
    evaluation_labels: int
    """Current, confident labels of such objects."""
    labels: int
    """Every label ever told, corrected ones included."""
    trainable: int
    """Current, confident labels of pool objects."""
    flagged: int
    """Current labels that deserve a second look: the scan of the spectrum is sure of
    another redshift."""
    open_batches: int
    random_sample: int
    """Objects in the random sample so far, whoever took them."""


class NextRetrain(Output):
    """When the network is trained next, if labels go on coming."""

    labels: int | None
    """After so many more labeled objects; null while a full run is live."""
    seconds: float | None
    """After so much time, for the labels that are there; null where none is new."""


class Campaign(Output):
    """A campaign as it stands."""

    id: int
    name: str
    pool: str
    state: CampaignState
    targets: list[str]
    model: dict[str, Any]  # ModelConfig of the version that it was created with
    strategy: dict[str, Any]  # StrategyConfig, likewise
    retrain: dict[str, Any]  # RetrainPolicy, likewise
    random_share: float
    overlap: int
    budget: int | None
    evaluation_size: int
    seed: int
    served_run_id: int | None
    created_at: datetime
    updated_at: datetime


class CampaignStatus(Campaign):
    """A campaign with its counts and what happens next."""

    counts: Counts
    spent: int
    """Objects that count against the budget."""
    served_run: Run | None
    """The run whose ranking and predictions serve; null before the first."""
    live_runs: list[Run]
    next_retrain: NextRetrain

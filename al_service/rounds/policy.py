"""When a campaign trains, as versioned JSON."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from db.tables import Campaign


class Threshold(BaseModel):
    """A run is due when so many labels are new, or when one of them is so old."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # `true` and `"3"` are no numbers, whichever door they come through.
    labels: int = Field(ge=1, strict=True)
    """Objects whose labels are new or corrected."""
    seconds: float = Field(gt=0, allow_inf_nan=False, strict=True)
    """Age of the oldest such label."""


class RetrainPolicy(BaseModel):
    """When to train: the network seldom, its last layer after every label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    full: Threshold = Threshold(labels=50, seconds=3600)
    head: Threshold = Threshold(labels=1, seconds=2)
    min_labels: int = Field(default=20, ge=1)
    """A network is never trained on fewer labeled objects."""


def policy_of(campaign: Campaign) -> RetrainPolicy:
    """When this campaign trains."""
    return RetrainPolicy.model_validate(campaign.retrain)

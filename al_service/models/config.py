"""Every choice about the network and its training, as versioned JSON."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from al_service.errors import InvalidInput

WIDEST: Final = 4096
"""Features or channels: a covariance of as many takes 130 MB for every target."""

LONGEST: Final = 1_000_000
"""Passes or steps: whoever means more has mistyped."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns."""

    epochs: int
    learning_rate: float
    ema: float


class ModelConfig(BaseModel):
    """A fusion network and how it is trained; `ModelConfig()` is the default.

    A field that is not known is refused: a typing error must not train another model
    than the one that was meant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: Literal[1] = 1

    dim: int = Field(default=256, ge=8, le=WIDEST)
    """Number of fused features D."""

    members: int = Field(default=4, ge=1, le=WIDEST)
    """Networks trained side by side; each gives `dim / members` of the features."""

    hidden: int = Field(default=128, ge=8, le=WIDEST)
    """Width of the two hidden layers of a member's photometry encoder."""

    joining_hidden: int = Field(default=256, ge=8, le=WIDEST)
    """Width of the hidden layer in which modalities meet, where there are several."""

    noise_hidden: int = Field(default=32, ge=4, le=WIDEST)
    """Width of the branch that predicts the noise."""

    modalities: tuple[Literal["photometry", "image", "spectrum"], ...] | None = None
    """What the network may look at; None: everything that labeled objects have."""

    embedding: int = Field(default=128, ge=8, le=WIDEST)
    """Channels in which the convolutions of an image or a spectrum end."""

    epochs: int = Field(default=60, ge=1, le=LONGEST)
    """Passes over the labels, where they are many and nothing is convolved."""

    min_steps: int = Field(default=150, ge=1, le=LONGEST)
    """Fewer optimizer steps than this leave even a small set unlearned, more make
    it learned by heart: with 100 and 400 labels 150 beat 300 and 600."""

    batch: int = Field(default=128, ge=2)
    """Labels per optimizer step."""

    learning_rate: float = Field(default=3e-3, gt=0)
    """Peak of the one-cycle schedule (Smith & Topin 2017)."""

    pixel_epochs: int = Field(default=20, ge=1, le=LONGEST)
    """Passes over the labels for networks that look at pixels."""

    pixel_learning_rate: float = Field(default=2e-3, gt=0)
    """Peak of the schedule for networks that look at pixels."""

    pixel_ema: float = Field(default=0.99, ge=0, lt=1)
    """Decay of the mean of weights for networks that look at pixels."""

    weight_decay: float = Field(default=1e-2, ge=0)
    """Decoupled decay of AdamW (Loshchilov & Hutter 2019)."""

    ema: float = Field(default=0.995, ge=0, lt=1)
    """Decay of the running mean of weights with which the network predicts."""

    beta: float = Field(default=0.5, ge=0, le=1)
    """Beta-NLL (Seitzer et al. 2022): 0 is the likelihood, 1 nearly least squares."""

    held_aside: float = Field(default=0.15, gt=0, lt=0.5)
    """Share of the labels that a member does not see; different ones for every member.
    What the members say about them sets the level of the noise."""

    clip: float = Field(default=5.0, gt=0)
    """Largest norm of the gradient."""

    image_dropout: float = Field(default=0.15, ge=0, lt=1)
    """How often training hides an image that another modality can replace."""

    spectrum_dropout: float = Field(default=0.3, ge=0, lt=1)
    """How often training hides a spectrum that another modality can replace."""

    photometry_dropout: float = Field(default=0.15, ge=0, lt=1)
    """How often training hides photometry that another modality can replace."""

    alone: float = Field(default=0.25, ge=0, lt=1)
    """How often training shows one modality of an object, and hides all others."""

    def schedule(self, *, pixels: bool) -> "Schedule":
        """How a network is trained.

        Args:
            pixels: whether it looks at pixels of images or spectra.
        """
        if pixels:
            return Schedule(self.pixel_epochs, self.pixel_learning_rate, self.pixel_ema)
        return Schedule(self.epochs, self.learning_rate, self.ema)

    @model_validator(mode="after")
    def _dim_divides(self) -> "ModelConfig":
        if self.dim % self.members:
            raise ValueError(
                f"dim: expected a multiple of members = {self.members}, "
                f"found {self.dim}"
            )
        return self


def check_sees_something(
    allowed: Collection[str] | None, measured: Collection[str]
) -> None:
    """Refuse a network that could look at nothing: it would say the same of everyone.

    Args:
        allowed: the `modalities` of its settings; None: all.
        measured: what at least one object of the pool has.

    Raises:
        InvalidInput: the pool has none of what is allowed.
    """
    if allowed is not None and set(allowed).isdisjoint(measured):
        raise InvalidInput(
            "model.modalities: expected some of what the pool has"
            f" ({', '.join(measured) or 'nothing'}), found"
            f" {', '.join(allowed) or 'none'}"
        )

"""The choices of one experiment, checked before anything is trained."""

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LEAST: Final = 10
"""Objects below which no figure of them means anything, nor is learned from them."""


class Effort(BaseModel):
    """How much work goes into every system; the same for all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folds: int = Field(default=4, ge=2)
    """Parts of the training galaxies in the search for settings."""

    candidates: int = Field(default=6, ge=1)
    """Settings that a search tries, where a grid has more."""

    trees: int = Field(default=200, ge=1)
    """Of a forest."""

    epochs: int = Field(default=16, ge=1)
    """Passes of networks that look at pixels."""

    column_epochs: int = Field(default=60, ge=1)
    """Passes of networks that look at columns only."""

    min_steps: int = Field(default=150, ge=1)
    """Optimizer steps at least."""

    draws: int = Field(default=64, ge=2)
    """Networks that are drawn where a posterior is sampled."""

    members: int = Field(default=5, ge=2)
    """Of an ensemble."""


QUICK: Final = Effort(
    folds=3,
    candidates=3,
    trees=50,
    epochs=2,
    column_epochs=6,
    min_steps=20,
    draws=8,
)
"""Everything runs, nothing is learned to its end: two dozen networks that look at
pixels take four minutes of one core."""


class ExperimentSettings(BaseModel):
    """What is compared, on which objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str
    """The pool's name."""

    systems: tuple[str, ...] = Field(min_length=1)

    seeds: int = Field(default=1, ge=1)
    """How many; seed k is the same split for every system."""

    first_seed: int = Field(default=0, ge=0)
    """The seeds follow each other from here on."""

    n_train: int = Field(default=6000, ge=LEAST)
    n_validation: int = Field(default=1000, ge=LEAST)
    n_test: int = Field(default=2000, ge=LEAST)
    """Objects of the three sides; a smaller pool is divided in these proportions."""

    effort: Effort = Effort()

    @property
    def seed_numbers(self) -> range:
        """The seeds themselves."""
        return range(self.first_seed, self.first_seed + self.seeds)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.systems)) < len(self.systems):
            raise ValueError("systems: expected each name once")
        return self

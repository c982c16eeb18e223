"""What a replay compares, and on what."""

from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from al_service.acquisition.interest import Interest
from al_service.models.config import ModelConfig
from al_service.studies.arms import CONTROL, Arm, parse_arm
from al_service.studies.spoiling import MOST_SPOILED

MOST_PROCESSES = 2

SpoiledShare: TypeAlias = Annotated[
    float, Field(ge=0, lt=MOST_SPOILED, allow_inf_nan=False)
]


class ReplaySettings(BaseModel):
    """A comparison of strategies on a pool with known labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str
    """The pool's name."""

    strategies: tuple[str, ...] = Field(min_length=1)
    """Arms: names of strategies, perhaps with settings; `default` is the service's."""

    seeds: int = Field(ge=1)
    """How many campaigns per strategy; seed k is the same sky for every strategy."""

    first_seed: int = Field(default=0, ge=0)
    """The first of the seeds: settings are tried on other skies than those that prove
    them."""

    initial: int = Field(ge=2)
    """Random labels at the start, the same for every strategy."""

    batch: int = Field(ge=1)
    """Labels per round."""

    rounds: int = Field(ge=1)
    """Batches after the initial labels."""

    test_size: int = Field(default=4000, ge=1)
    """Objects that examine, where the pool allows."""

    processes: int = Field(default=MOST_PROCESSES, ge=1, le=MOST_PROCESSES)
    """Campaigns at a time, a core each; results do not depend on it."""

    model: ModelConfig = ModelConfig()

    interest: tuple[Interest, ...] = ()
    """What matters more: a third test set, heeded by the strategies that can."""

    wrong_labels: SpoiledShare = 0.0
    """Share of the objects that may be asked for whose label is another galaxy's."""

    junk: SpoiledShare = 0.0
    """Share of them that are no galaxies."""

    @model_validator(mode="after")
    def _arms_exist(self) -> Self:
        for name in self.arms:
            self.arm(name)
        return self

    def arm(self, name: str) -> Arm:
        """The settings of an arm."""
        return parse_arm(name, model=self.model, interest=self.interest)

    @property
    def arms(self) -> tuple[str, ...]:
        """The strategies to run, each once, the control among them."""
        return tuple(dict.fromkeys((*self.strategies, CONTROL)))

    @property
    def all_seeds(self) -> range:
        """The seeds to run."""
        return range(self.first_seed, self.first_seed + self.seeds)

    @property
    def spoiled(self) -> dict[str, float]:
        """What is spoiled, and which share; empty where nothing is."""
        shares = {"wrong_labels": self.wrong_labels, "junk": self.junk}
        return {name: share for name, share in shares.items() if share > 0}

    @property
    def labels_needed(self) -> int:
        """Labels of the last point of every curve."""
        return self.initial + self.batch * self.rounds

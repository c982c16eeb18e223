"""What a replay compares, and on what."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from al_service.acquisition.strategies import DEFAULT_STRATEGY, Strategy, StrategyConfig
from al_service.models.config import ModelConfig

DEFAULT = "default"
"""Stands for the service's default strategy."""

CONTROL = Strategy.RANDOM.value
"""Every ratio is against it, so that every replay runs it."""

MOST_PROCESSES = 2


class ReplaySettings(BaseModel):
    """A comparison of strategies on a pool with known labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str
    """The pool's name."""

    strategies: tuple[str, ...] = Field(min_length=1)
    """Names; `default` is the service's default strategy."""

    seeds: int = Field(ge=1)
    """How many campaigns per strategy; seed k is the same sky for every strategy."""

    initial: int = Field(ge=2)
    """Random labels at the start, the same for every strategy."""

    batch: int = Field(ge=1)
    """Labels per round."""

    rounds: int = Field(ge=1)
    """Batches after the initial labels."""

    test_size: int = Field(default=4000, ge=1)
    """Objects that examine, where the pool allows."""

    processes: int = Field(default=MOST_PROCESSES, ge=1, le=MOST_PROCESSES)

    model: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _strategies_exist(self) -> Self:
        known = [DEFAULT, *(strategy.value for strategy in Strategy)]
        for name in self.strategies:
            if name not in known:
                raise ValueError(
                    f"strategies: expected names out of {', '.join(known)}, "
                    f"found {name!r}"
                )
        return self

    @property
    def arms(self) -> tuple[str, ...]:
        """The strategies to run, each once, the control among them."""
        return tuple(dict.fromkeys((*self.strategies, CONTROL)))

    @property
    def labels_needed(self) -> int:
        """Labels of the last point of every curve."""
        return self.initial + self.batch * self.rounds


def strategy_config(name: str) -> StrategyConfig:
    """The settings of an arm."""
    if name == DEFAULT:
        return StrategyConfig(name=DEFAULT_STRATEGY)
    return StrategyConfig(name=Strategy(name))

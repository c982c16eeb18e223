"""How a campaign chooses, as versioned JSON."""

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from al_service.acquisition.interest import LARGEST_WEIGHT, Interest
from al_service.acquisition.quality import N_STRATA, QualityFlag, QuotaBy
from al_service.survey.targets import Target


class Strategy(StrEnum):
    """How the candidates of a campaign are ordered."""

    RANDOM = "random"  # by random key: the control of every comparison
    TOP_VARIANCE = "top_variance"  # most uncertain first: a control, known to be bad
    LCMD = "lcmd"  # most uncertain regions first, one object from each
    POWER_VARIANCE = "power_variance"  # uncertain objects by lot
    KMEANSPP = "kmeans++"  # by lot, uncertain and unlike those chosen before
    CORESET = "coreset"  # the object farthest from everything known
    MAX_DET = "max_det"  # what says most about the weights, batch considered
    BAIT = "bait"  # what lowers the mean variance over the pool most
    EPIG = "epig"  # what says most about the answers that matter


class Features(StrEnum):
    """By what objects are compared once there is a network."""

    LAST_LAYER = "last_layer"  # what the last layer sees, φ
    GRADIENT = "gradient"  # sketched gradients of all dense layers


class ColdStart(StrEnum):
    """How objects are ordered before there are labels."""

    TYPICAL = "typical"  # the most typical object of every cluster
    COVERING = "covering"  # the balls that cover most of the pool


DEFAULT_STRATEGY = Strategy.LCMD

WITHOUT_WEIGHTS: Final = frozenset({Strategy.RANDOM, Strategy.TOP_VARIANCE})
"""Controls: their labels weigh alike."""

WALKING: Final = frozenset(
    {
        Strategy.LCMD,
        Strategy.KMEANSPP,
        Strategy.CORESET,
        Strategy.MAX_DET,
        Strategy.BAIT,
        Strategy.EPIG,
    }
)
"""Strategies that fill one place after the other."""

POSTERIOR: Final = frozenset(
    {Strategy.KMEANSPP, Strategy.MAX_DET, Strategy.BAIT, Strategy.EPIG}
)
"""Strategies that look at the posterior, not at distances alone."""


Weight = Annotated[float, Field(ge=0.0, le=LARGEST_WEIGHT)]


class StrategyConfig(BaseModel):
    """A strategy with its settings, as a campaign stores it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: Literal[1] = 1
    name: Strategy = DEFAULT_STRATEGY

    features: Features = Features.LAST_LAYER
    """What walks compare objects by."""

    cold_start: ColdStart = ColdStart.TYPICAL
    """The order before there are labels; strategy `random` has none of it."""

    density_alpha: float = Field(default=0.5, ge=0.0, le=2.0)
    """Exponent of the pool-density weights in training; the controls use none. Larger
    ones keep the bulk of the errors narrower and leave more of the tail: see the levers
    in docs/acquisition.md."""

    greedy: int = Field(default=1024, ge=1)
    """How many places are filled one by one; by score come the places after them."""

    greedy_pool: int = Field(default=250_000, ge=1)
    """How many candidates are looked at: a random sample stands for a larger pool."""

    power: float = Field(default=1.0, ge=0.0, le=100.0)
    """`power_variance`: exponent of the score in the odds."""

    aims: int = Field(default=256, ge=8, le=4096)
    """`epig`: objects whose answers count, a sample of the pool."""

    interest: tuple[Interest, ...] = Field(default=(), max_length=16)
    """What matters more, for `bait` and `epig`; without it the pool as it is."""

    target_weights: dict[Target, Weight] = Field(default_factory=dict)
    """How much targets matter, 1 for those not named."""

    isolation: float = Field(default=6.0, ge=0.0)
    """Candidates whose tenth neighbor is so many times as far away as that of the
    median candidate stand alone, as junk does and half a percent of galaxies. 0:
    nobody."""

    isolated_share: float = Field(default=0.025, ge=0.0, le=1.0)
    """Largest share of any beginning of a walk's order that those may have, drawn by
    lot; the others come last and are reported. Rare galaxies teach, junk does not, and
    the walk cannot tell them apart."""

    gate: float = Field(default=0.0, ge=0.0, le=0.1)
    """Share of the candidates, the most unlike all others, that walks leave aside:
    they come last and are reported. 0: nobody."""

    quota: float = Field(default=1.0, ge=0.1, le=1.0)
    """Largest share that one kind of objects may have in any beginning of the order.
    1: no quota."""

    quota_by: QuotaBy = QuotaBy.SIGNAL
    """Which kinds: tenths of the pool by signal to noise, colors or classes."""

    hold_back: tuple[QualityFlag, ...] = ()
    """Flags of doubtful measurements: such objects come last and are reported;
    strategy `random` takes them as they come."""

    @model_validator(mode="after")
    def _quota_can_be_kept(self) -> Self:
        least = 1.0 / N_STRATA[self.quota_by]
        if self.quota < least:
            raise ValueError(
                f"quota: expected at least {least:.3g} by {self.quota_by}, "
                f"found {self.quota}"
            )
        return self

    @property
    def weights_alpha(self) -> float:
        """The exponent that training uses: 0 where labels are a random sample."""
        return 0.0 if self.name in WITHOUT_WEIGHTS else self.density_alpha

    @property
    def looks_at_posterior(self) -> bool:
        """Whether `rank` needs what is known of the posterior."""
        return self.name in POSTERIOR

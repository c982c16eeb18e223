"""The arms of the control: which labels each of them may know.

Without torch: runs train them (`controls`), and what answers the API says why there
are none yet (`curve_notes`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from db.repositories import training
from db.vocabulary import TrainingRole

FEWEST_OF_AN_ARM: Final = 10
"""Labels beyond the initial set below which a difference between control arms means
nothing."""


@dataclass(frozen=True)
class ArmFacts:
    """What decides to which arm each of `M` labeled objects belongs."""

    initial: NDArray[np.bool_]
    """`M` flags: labels of the campaign's first network."""
    random_keys: NDArray[np.int64]
    """`M` fixed random keys."""
    last_key: int | None
    """The end of the random sample so far; None where nothing was drawn."""
    by_strategy: NDArray[np.bool_]
    """`M` flags: objects that the strategy has asked for."""
    n_initial: int
    """Labels of the campaign's first network, with those that count no more."""

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """`M` flags: the random sample beside the initial set."""
        if self.last_key is None:
            return np.zeros_like(self.initial)
        return ~self.initial & (self.random_keys <= self.last_key)

    @property
    def asked(self) -> NDArray[np.bool_]:
        """`M` flags: what the strategy asked for beside the initial set."""
        return ~self.initial & self.by_strategy


@dataclass(frozen=True)
class Arms:
    """The labels of both arms, of equal number."""

    random: NDArray[np.int64]
    """Places among the frozen labels: initial set and random sample."""
    active: NDArray[np.int64]
    """Places among the frozen labels: initial set and first labels of the strategy."""
    own: int
    """Labels of each arm beside the initial set."""


def read_arm_facts(
    session: Session,
    campaign_id: int,
    *,
    strategy: str,
    first_run: int,
    sky_object_ids: Sequence[int],
) -> ArmFacts:
    """Where some labeled objects came from.

    Args:
        session: reads in its transaction.
        campaign_id: whose objects.
        strategy: its name.
        first_run: the campaign's first published full run.
        sky_object_ids: `M` objects with a label.
    """
    initial = training.objects_of_run(session, first_run, TrainingRole.NETWORK)
    keys = training.random_keys(session, campaign_id, sky_object_ids)
    asked = training.handed_out_for(session, campaign_id, strategy)
    return ArmFacts(
        initial=np.array([one in initial for one in sky_object_ids], dtype=np.bool_),
        random_keys=np.array([keys[one] for one in sky_object_ids], dtype=np.int64),
        last_key=training.largest_random_key(session, campaign_id),
        by_strategy=np.array([one in asked for one in sky_object_ids], dtype=np.bool_),
        n_initial=len(initial),
    )


def choose_arms(
    facts: ArmFacts,
    *,
    first_unanswered: int | None,
    first_label_ids: NDArray[np.int64],
) -> Arms | None:
    """Equal numbers of random and of strategy labels beside the initial set.

    Args:
        facts: of `M` labels.
        first_unanswered: smallest key of the sample without an answer: beyond it
            those that the strategy took would stand for all; None where all have one.
        first_label_ids: `M` first label of each object: the order in which they came.

    Returns:
        None where either arm has fewer than `FEWEST_OF_AN_ARM` labels of its own.
    """
    in_sample = facts.drawn
    if first_unanswered is not None:
        in_sample &= facts.random_keys < first_unanswered
    sample = np.flatnonzero(in_sample)
    sample = sample[np.argsort(facts.random_keys[sample], kind="stable")]
    chosen = np.flatnonzero(facts.asked)
    chosen = chosen[np.argsort(first_label_ids[chosen], kind="stable")]
    n = min(len(sample), len(chosen))
    if n < FEWEST_OF_AN_ARM:
        return None
    common = np.flatnonzero(facts.initial)
    return Arms(
        random=np.sort(np.concatenate([common, sample[:n]])),
        active=np.sort(np.concatenate([common, chosen[:n]])),
        own=n,
    )

"""From labels to the next ranking: whole head runs on a real pool and database.

Counted: the transaction that stores a batch of labels, planning, and the run until
its ranking is published. Not counted: the message between them, about 5 ms.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from al_service.acquisition.strategies import StrategyConfig
from al_service.cli.benchmarks.stage import Stage, stage
from al_service.cli.benchmarks.taught_campaign import (
    TaughtCampaign,
    Teaching,
    teach,
)
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.scoring import open_cache
from al_service.studies.speed.head_algebra import bare_head_run
from al_service.studies.speed.measuring import (
    Budget,
    Fact,
    Measurement,
    Size,
    side_by_side,
)
from al_service.survey.targets import DEFAULT_TARGETS
from db.tables import Campaign, Pool, Prediction, RankedObject, Run

NAME: Final = "tell"

BATCH: Final = 10
"""Labels told at a time."""


@dataclass(frozen=True)
class _Scale:
    teaching: Teaching
    repeats: int
    budget: Budget


_SCALES: Final = {
    Size.SMALL: (_Scale(Teaching(objects=2000, labels=100, dim=32), 1, Budget()),),
    Size.FULL: (
        _Scale(Teaching(100_000, labels=4000, dim=256), 3, Budget(at_most=5.0)),
        _Scale(Teaching(1_000_000, labels=4000, dim=256), 2, Budget(at_most=25.0)),
    ),
}
"""Budgets: DESIGN.md section 8."""


def measure(size: Size, home: Path) -> list[Measurement]:
    """Time head runs against their linear algebra alone."""
    return [_measure(scale, home) for scale in _SCALES[size]]


def _measure(scale: _Scale, home: Path) -> Measurement:
    teaching = scale.teaching
    with stage(home) as place:
        campaign = teach(place, teaching)
        phi = _features(place, campaign)
        looked_at = min(len(phi), StrategyConfig().greedy_pool)
        times = side_by_side(
            lambda: _turn(campaign),
            lambda: bare_head_run(
                phi,
                phi[: teaching.labels],
                n_targets=len(DEFAULT_TARGETS),
                looked_at=looked_at,
            ),
            repeats=scale.repeats,
        )
        facts = _facts(place, times.our_result)
    return Measurement(
        benchmark=NAME,
        what=f"tell {BATCH} labels to new ranking, {teaching.objects:,} objects x "
        f"{len(DEFAULT_TARGETS)} targets, {teaching.labels:,} labeled, "
        f"D = {teaching.dim}",
        unit="s",
        ours=times.ours.seconds,
        peer="the bare linear algebra",
        theirs=times.theirs.seconds,
        budget=scale.budget,
        facts=facts | times.facts(),
    )


def _turn(campaign: TaughtCampaign) -> Run:
    campaign.tell(BATCH)
    return campaign.carry_out_what_is_due()


def _features(place: Stage, campaign: TaughtCampaign) -> NDArray[np.float32]:
    """`N x D` features of the pool, in memory."""
    with place.sessions() as session:
        pool = session.get_one(Pool, session.get_one(Campaign, campaign.id).pool_id)
    folder = Artifacts(place.artifacts).features(
        campaign.network_digest, str(pool.manifest_digest)
    )
    phi: NDArray[Any] = open_cache(folder).arrays["phi"]  # Any: of every number type
    return np.array(phi, dtype=np.float32)


def _facts(place: Stage, last: Run) -> dict[str, Fact]:
    """Whether the last run really serves, with what it was meant to know."""
    with place.sessions() as session:
        ranked = session.scalar(
            select(func.count()).where(RankedObject.run_id == last.id)
        )
        predicted = session.scalar(
            select(func.count()).where(Prediction.run_id == last.id)
        )
        serves = session.get_one(Campaign, last.campaign_id).served_run_id
    return {
        "kind": last.kind.value,
        "serves": serves == last.id,
        "labels_known": (last.metrics or {})["n_labels"],
        "ranked": ranked,
        "predictions": predicted,
        "evaluation_objects": (last.metrics or {})["n_evaluation"],
    }

"""A campaign on a few hundred real galaxies, with everything a run needs around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds import campaigns, labeling, leasing, planning, pools, retraining
from al_service.rounds.campaigns import NewCampaign
from al_service.rounds.labeling import NewLabel
from al_service.rounds.leasing import Batch
from al_service.settings import Settings
from al_service.survey.pool_arrays import (
    PoolArrays,
    PoolColumns,
    write_pool_arrays,
)
from al_service.survey.sdss10k import TARGETS, read_sdss10k
from db.repositories.campaigns import served_run_id
from db.tables import (
    Campaign,
    Candidate,
    CurvePoint,
    Prediction,
    RankedObject,
    Run,
    SkyObject,
)
from db.vocabulary import CandidateState, RunKind, RunState

SMALL_MODEL = {
    "dim": 32,
    "members": 1,
    "hidden": 32,
    "noise_hidden": 8,
    "epochs": 4,
    "min_steps": 80,
}
"""Learns something of 60 galaxies within a quarter of a second."""

ENDLESS_MODEL = {**SMALL_MODEL, "min_steps": 1_000_000}
"""Training that only a stop signal ends."""

N_OBJECTS = 500
LABELER = "observer"


@dataclass(frozen=True)
class Observatory:
    """One pool of real galaxies, its arrays and its database."""

    sessions: sessionmaker[Session]
    settings: Settings
    pool: str = "sky"

    @property
    def artifacts(self) -> Path:
        return self.settings.artifacts_folder

    @property
    def arrays(self) -> PoolArrays:
        return PoolArrays.open(self.artifacts / "pools" / self.pool)

    def with_settings(self, **changes: Any) -> "Observatory":  # Any: settings' types
        return replace(self, settings=self.settings.model_copy(update=changes))

    def open_campaign(self, name: str = "survey", **given: Any) -> int:  # Any: fields
        facts = {
            "name": name,
            "pool": self.pool,
            "targets": ("z",),
            "model": SMALL_MODEL,
            **given,
        }
        with self.sessions.begin() as session:
            campaign = campaigns.create_campaign(
                session, NewCampaign.model_validate(facts)
            )
            return campaign.id

    def ask(self, campaign_id: int, size: int) -> Batch:
        with self.sessions.begin() as session:
            campaign = session.get_one(Campaign, campaign_id)
            return leasing.ask(session, campaign, labeler=LABELER, size=size)

    def tell(self, campaign_id: int, batch: Batch) -> None:
        self.tell_objects(
            campaign_id, [item.object_id for item in batch.items], batch_id=batch.id
        )

    def tell_objects(
        self,
        campaign_id: int,
        object_ids: Sequence[str],
        *,
        batch_id: int | None = None,
        labeler: str = LABELER,
    ) -> None:
        redshifts = redshifts_of(object_ids)
        with self.sessions.begin() as session:
            labeling.tell(
                session,
                session.get_one(Campaign, campaign_id),
                labeler=labeler,
                batch_id=batch_id,
                labels=[
                    NewLabel(object_id=name, values={"z": redshifts[name]})
                    for name in object_ids
                ],
            )

    def tell_values(self, campaign_id: int, redshifts: dict[str, float]) -> None:
        """Redshifts that somebody else says he has measured."""
        with self.sessions.begin() as session:
            labeling.tell(
                session,
                session.get_one(Campaign, campaign_id),
                labeler=LABELER,
                batch_id=None,
                labels=[
                    NewLabel(object_id=name, values={"z": z})
                    for name, z in redshifts.items()
                ],
            )

    def observe(self, campaign_id: int, size: int) -> Batch:
        batch = self.ask(campaign_id, size)
        self.tell(campaign_id, batch)
        return batch

    def plan(self, campaign_id: int, kind: RunKind) -> int:
        with self.sessions.begin() as session:
            return planning.plan(session, session.get_one(Campaign, campaign_id), kind)

    def carry_out(
        self,
        run_id: int,
        *,
        worker: str = "worker",
        shutting_down: Callable[[], bool] = lambda: False,
    ) -> Run:
        retraining.carry_out(
            run_id,
            sessions=self.sessions,
            artifacts=self.artifacts,
            worker=worker,
            settings=self.settings,
            shutting_down=shutting_down,
        )
        return self.run(run_id)

    def publish(self, campaign_id: int, kind: RunKind) -> Run:
        run = self.carry_out(self.plan(campaign_id, kind))
        assert run.state is RunState.PUBLISHED, run.message
        return run

    def run(self, run_id: int) -> Run:
        with self.sessions.begin() as session:
            return session.get_one(Run, run_id)

    def live_run(self, campaign_id: int, kind: RunKind) -> Run | None:
        with self.sessions.begin() as session:
            return session.scalar(
                select(Run).where(
                    Run.campaign_id == campaign_id,
                    Run.kind == kind,
                    Run.state.in_([RunState.PLANNED, RunState.RUNNING]),
                )
            )

    def served(self, campaign_id: int) -> int | None:
        with self.sessions.begin() as session:
            return served_run_id(session, campaign_id)

    def ranking(self, campaign_id: int) -> list[tuple[str, float, str]]:
        """Object, score and reason of every ranked candidate, best first."""
        with self.sessions.begin() as session:
            rows = session.execute(
                select(SkyObject.object_id, RankedObject.score, Run.ranked_by)
                .join(RankedObject, RankedObject.sky_object_id == SkyObject.id)
                .join(Run, Run.id == RankedObject.run_id)
                .join(Campaign, Campaign.served_run_id == Run.id)
                .join(
                    Candidate,
                    (Candidate.campaign_id == Campaign.id)
                    & (Candidate.sky_object_id == SkyObject.id)
                    & (Candidate.slot == 0),
                )
                .where(
                    Campaign.id == campaign_id, Candidate.state == CandidateState.FREE
                )
                .order_by(RankedObject.rank)
            )
            return [(name, score, str(reason)) for name, score, reason in rows]

    def predictions(self, campaign_id: int) -> dict[str, Prediction]:
        with self.sessions.begin() as session:
            rows = session.execute(
                select(SkyObject.object_id, Prediction)
                .join(Prediction, Prediction.sky_object_id == SkyObject.id)
                .where(Prediction.campaign_id == campaign_id)
            )
            return {row[0]: row[1] for row in rows}

    def points(self, run_id: int) -> list[CurvePoint]:
        with self.sessions.begin() as session:
            return list(
                session.scalars(
                    select(CurvePoint)
                    .where(CurvePoint.run_id == run_id)
                    .order_by(CurvePoint.id)
                )
            )

    def count_published(self, campaign_id: int, kind: RunKind) -> int:
        return self._count_runs(campaign_id, kind, RunState.PUBLISHED)

    def count_judged(self, campaign_id: int, kind: RunKind) -> int:
        """Runs carried out whole; the promotion gate may have refused them."""
        states = RunState.PUBLISHED, RunState.REFUSED
        return self._count_runs(campaign_id, kind, *states)

    def _count_runs(self, campaign_id: int, kind: RunKind, *states: RunState) -> int:
        with self.sessions.begin() as session:
            found = session.scalar(
                select(func.count(Run.id)).where(
                    Run.campaign_id == campaign_id,
                    Run.kind == kind,
                    Run.state.in_(states),
                )
            )
            return found or 0

    def object_ids(self, split: str) -> list[str]:
        with self.sessions.begin() as session:
            return list(
                session.scalars(
                    select(SkyObject.object_id)
                    .where(SkyObject.split == split)
                    .order_by(SkyObject.row)
                )
            )


def start_full_run(
    sky: Observatory,
    **given: Any,  # Any: fields of a campaign
) -> tuple[int, int]:
    """A campaign with 60 labels and a planned full run."""
    campaign_id = sky.open_campaign(**given)
    sky.observe(campaign_id, 60)
    return campaign_id, sky.plan(campaign_id, RunKind.FULL)


def redshifts_of(object_ids: Sequence[str]) -> dict[str, float]:
    """What SDSS has measured."""
    columns, _ = read_sdss10k()
    known = dict(
        zip(columns.object_ids.tolist(), columns.known_values[:, 0], strict=True)
    )
    return {name: float(known[name]) for name in object_ids}


def build_observatory(
    sessions: sessionmaker[Session],
    folder: Path,
    *,
    n_objects: int = N_OBJECTS,
    known_labels: bool = True,
    pool: str = "sky",
    photometry: NDArray[np.float32] | None = None,
    **settings: Any,  # Any: settings are of several types
) -> Observatory:
    """A pool of the first real galaxies of `sdss10k`, with or without known labels.

    `photometry` replaces what SDSS has measured.
    """
    built = Observatory(
        sessions,
        Settings(
            artifacts=folder,
            **{"heartbeat_seconds": 0.05, "score_chunk": 128, **settings},
        ),
        pool,
    )
    columns, measured = read_sdss10k()
    rows = np.arange(n_objects)
    known = slice(0, 1 if known_labels else 0)
    write_pool_arrays(
        folder / "pools" / built.pool,
        PoolColumns(
            object_ids=columns.object_ids[rows],
            group_ids=columns.group_ids[rows],
            ra=columns.ra[rows],
            dec=columns.dec[rows],
            known_values=columns.known_values[rows, known],
            known_errors=columns.known_errors[rows, known],
        ),
        photometry=measured[rows] if photometry is None else photometry,
        targets=TARGETS if known_labels else (),
    )
    with sessions.begin() as session:
        pools.register_pool(
            session, built.pool, artifacts=folder, folder=f"pools/{built.pool}", seed=1
        )
    return built

"""What a claimed run is about and where it is worked off: read once, at its start."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from al_service.acquisition.strategies import StrategyConfig
from al_service.features.pool_scan import scan_pool
from al_service.features.preparation import SPECTRUM
from al_service.models.config import ModelConfig
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.claiming import Claim
from al_service.rounds.heart import Heart
from al_service.settings import Settings
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import PoolView, whole_pool
from db.repositories import training
from db.tables import Campaign, Pool, Run


@dataclass(frozen=True)
class Workplace:
    """What a worker brings to every run."""

    sessions: sessionmaker[Session]
    artifacts: Artifacts
    settings: Settings
    worker: str
    """Name with which it signs its claims."""
    shutting_down: Callable[[], bool]
    """Whether the process was told to end."""


@dataclass(frozen=True)
class Subject:
    """The campaign that a run learns for."""

    campaign_id: int
    pool_id: int
    pool_folder: str
    pool_digest: str
    targets: tuple[str, ...]
    model: ModelConfig
    strategy: StrategyConfig
    seed: int
    """The run's own seed."""


@dataclass(frozen=True)
class Assignment:
    """A claimed run with everything that its work needs; no transaction is open."""

    claim: Claim
    subject: Subject
    place: Workplace
    heart: Heart

    @property
    def run_id(self) -> int:
        """The run's identifier."""
        return self.claim.run_id

    @property
    def sessions(self) -> sessionmaker[Session]:
        """Makes the short transactions between the long steps."""
        return self.place.sessions

    @property
    def artifacts(self) -> Artifacts:
        """Where files are."""
        return self.place.artifacts

    @cached_property
    def arrays(self) -> PoolArrays:
        """The pool, opened when it is first needed."""
        return PoolArrays.open(
            self.artifacts.pool(self.subject.pool_folder),
            digest=self.subject.pool_digest,
        )

    @cached_property
    def measured(self) -> PoolView:
        """What the model may look at of every object, read when it is asked for."""
        return measured_pool(
            self.arrays,
            self.subject.model,
            self.artifacts,
            should_stop=self.heart.should_stop,
        )


def measured_pool(
    arrays: PoolArrays,
    model: ModelConfig,
    artifacts: Artifacts,
    *,
    should_stop: Callable[[], bool],
) -> PoolView:
    """What a model may look at of every object of a pool.

    Spectra that nobody has scanned yet are scanned first: the same network must not see
    a redshift today and none tomorrow.
    """
    allowed = model.modalities
    seen = None if allowed is None else frozenset(allowed)
    scan = None
    if SPECTRUM in arrays.flags and (seen is None or SPECTRUM in seen):
        found = scan_pool(arrays, artifacts.scans, processes=1, should_stop=should_stop)
        scan = np.stack([found.z, found.z_error, found.confidence], axis=1)
    return whole_pool(arrays, scan=scan, modalities=seen)


@dataclass(frozen=True)
class Served:
    """The run that serves a campaign, and the network it rests on."""

    run_id: int
    network_run_id: int | None
    """The full run that trained the network; None while a cold start serves."""
    network_digest: str | None
    """The checkpoint that names network and cached features."""
    best_run_id: int | None
    """The best run served so far, as the gate has measured."""


def read_subject(session: Session, claim: Claim) -> Subject:
    """What a run learns for."""
    run = session.get_one(Run, claim.run_id)
    campaign = session.get_one(Campaign, run.campaign_id)
    pool = session.get_one(Pool, campaign.pool_id)
    return Subject(
        campaign_id=campaign.id,
        pool_id=pool.id,
        pool_folder=pool.arrays,
        pool_digest=str(pool.manifest_digest),
        targets=tuple(str(target) for target in campaign.targets),
        model=ModelConfig.model_validate(campaign.model),
        strategy=StrategyConfig.model_validate(campaign.strategy),
        seed=run.seed,
    )


def read_served(session: Session, campaign_id: int) -> Served | None:
    """The run that serves a campaign now; None before the first."""
    run = training.served_run(session, campaign_id)
    if run is None:
        return None
    facts = run.metrics or {}
    return Served(
        run_id=run.id,
        network_run_id=facts.get("network_run"),
        network_digest=facts.get("network"),
        best_run_id=facts.get("best_run"),
    )

"""The moment in which an order was made: who was taken, what was known and seen."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from al_service.errors import NotFound
from al_service.models.network import Network
from al_service.posterior.checkpoint import load_checkpoint
from al_service.rounds import leasing
from al_service.rounds.artifacts import Artifacts, mark_used
from al_service.rounds.assignment import measured_pool
from al_service.rounds.gradients import cache_gradients, wants_gradients
from al_service.rounds.order_record import OrderRecord
from al_service.rounds.ordering import Queue, queue_without
from al_service.rounds.scoring import FeatureCache, cache_features, find_cache
from al_service.rounds.training_data import LabeledObjects, labels_of_run
from al_service.settings import Settings
from al_service.survey.pool_arrays import PoolArrays
from db.repositories import training
from db.tables import Campaign, Pool, Run
from db.vocabulary import TrainingRole


@dataclass(frozen=True)
class Seen:
    """The pool as the network of that moment sees it."""

    network: Network
    cache: FeatureCache
    gradients: FeatureCache | None = None
    """Where the strategy compared objects by them."""


@dataclass(frozen=True)
class Past:
    """A batch with the moment of its order."""

    batch: leasing.Batch
    run: Run
    record: OrderRecord
    arrays: PoolArrays
    queue: Queue
    labels: LabeledObjects | None
    network_digest: str | None
    """The checkpoint that names the cached features."""
    checkpoint_digest: str | None
    """The full run's checkpoint, which is kept."""


def read_past(
    batch_id: int, sessions: sessionmaker[Session], settings: Settings
) -> Past:
    """The batch, and the moment of the order that it walked.

    Raises:
        NotFound: there is no such batch, or no order was kept that it walked.
    """
    artifacts = Artifacts(settings.artifacts_folder)
    with sessions.begin() as session:
        batch = leasing.show(session, batch_id)
        run = None if batch.run_id is None else session.get(Run, batch.run_id)
        if run is None:
            raise NotFound("order of batch", batch_id)
        campaign = session.get_one(Campaign, batch.campaign_id)
        pool = session.get_one(Pool, campaign.pool_id)
        facts = run.metrics or {}
        full_id = facts.get("network_run")
        labels, checkpoint = None, None
        if full_id is not None:
            labels = labels_of_run(
                session,
                run.id,
                TrainingRole.HEAD,
                targets=[str(target) for target in campaign.targets],
            )
            checkpoint = session.get_one(Run, full_id).checkpoint_digest
        places = training.pool_candidates(session, campaign.id)
        session.expunge_all()
    record = OrderRecord.read(artifacts, run)
    arrays = PoolArrays.open(artifacts.pool(pool.arrays), digest=record.pool_digest)
    queue = queue_without(places, record.taken)
    return Past(
        batch, run, record, arrays, queue, labels, facts.get("network"), checkpoint
    )


@contextmanager
def features_of(past: Past, settings: Settings) -> Iterator[Seen | None]:
    """The features of that moment, from the cache or computed for a while."""
    if past.network_digest is None or past.checkpoint_digest is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as place:
        yield _see(past, past.network_digest, past.checkpoint_digest, settings, place)


def _see(
    past: Past,
    network_digest: str,
    checkpoint_digest: str,
    settings: Settings,
    place: str,
) -> Seen:
    """What is cached is read, what is not is computed in a folder that goes again."""
    artifacts = Artifacts(settings.artifacts_folder)
    checkpoint = load_checkpoint(artifacts.checkpoints, checkpoint_digest)
    network, pool_digest = checkpoint.network, past.record.pool_digest
    folder = artifacts.features(network_digest, pool_digest)
    cache = _kept(folder)
    steep = artifacts.gradients(network_digest, pool_digest, checkpoint_digest)
    wanted = wants_gradients(past.record.strategy)
    gradients = _kept(steep) if wanted else None
    if cache is not None and (gradients is not None or not wanted):
        return Seen(network, cache, gradients)
    pool = measured_pool(past.arrays, network.config, artifacts, should_stop=never)
    if cache is None:
        cache = cache_features(
            network,
            pool,
            Path(place) / "features",
            chunk=settings.score_chunk,
            progress=_say_nothing,
            should_stop=never,
        )
    if wanted and gradients is None:
        gradients = cache_gradients(
            network,
            checkpoint.head,
            pool,
            Path(place) / "gradients",
            chunk=settings.score_chunk,
            should_stop=never,
        )
    return Seen(network, cache, gradients)


def _kept(folder: Path) -> FeatureCache | None:
    """A cache that is there, and stays while it is read."""
    cache = find_cache(folder)
    if cache is not None:
        mark_used(folder)
    return cache


def never() -> bool:
    """Nobody stops this."""
    return False


def _say_nothing(_share: float) -> None:
    return None

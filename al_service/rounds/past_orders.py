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
    artifacts = Artifacts(settings.artifacts_folder)
    network = load_checkpoint(artifacts.checkpoints, past.checkpoint_digest).network
    folder = artifacts.features(past.network_digest, past.record.pool_digest)
    cache = find_cache(folder)
    if cache is not None:
        mark_used(folder)
        yield Seen(network, cache)
        return
    with tempfile.TemporaryDirectory() as place:
        computed = cache_features(
            network,
            measured_pool(past.arrays, network.config, artifacts, should_stop=never),
            Path(place) / "features",
            chunk=settings.score_chunk,
            progress=_say_nothing,
            should_stop=never,
        )
        yield Seen(network, computed)


def never() -> bool:
    """Nobody stops this."""
    return False


def _say_nothing(_share: float) -> None:
    return None

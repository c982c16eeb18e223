"""Gradient features of a whole pool under a full run's model, cached beside φ.

They hang on the last layer that the full run has published: a label that comes later
changes what is predicted, not what is like what. The next full run makes new ones.
"""

from collections.abc import Callable
from pathlib import Path

from al_service.acquisition.config import WALKING, Features, StrategyConfig
from al_service.models.network import Network
from al_service.posterior.checkpoint import load_checkpoint
from al_service.posterior.gradient_features import sketch_gradients
from al_service.posterior.head import Head
from al_service.rounds.artifacts import Array, mark_used
from al_service.rounds.assignment import Assignment
from al_service.rounds.networks import Learned
from al_service.rounds.scoring import FeatureCache, fill_cache
from al_service.survey.pool_view import PoolView
from db.tables import Run


def gradients_for(
    assignment: Assignment, learned: Learned, head: Head, checkpoint_digest: str
) -> FeatureCache | None:
    """The gradients that the strategy wants to see; None where φ will do.

    Args:
        assignment: a full or a head run.
        learned: its network.
        head: the last layer that this run publishes.
        checkpoint_digest: of the checkpoint with both.
    """
    if not wants_gradients(assignment.subject.strategy):
        return None
    if learned.run_id != assignment.run_id:
        with assignment.sessions.begin() as session:
            full = session.get_one(Run, learned.run_id)
            checkpoint_digest = str(full.checkpoint_digest)
        head = load_checkpoint(assignment.artifacts.checkpoints, checkpoint_digest).head
    folder = assignment.artifacts.gradients(
        learned.digest, assignment.subject.pool_digest, checkpoint_digest
    )
    mark_used(folder)
    return cache_gradients(
        learned.network,
        head,
        assignment.measured,
        folder,
        chunk=assignment.place.settings.score_chunk,
        should_stop=assignment.heart.should_stop,
    )


def wants_gradients(strategy: StrategyConfig) -> bool:
    """Whether objects are compared by gradients."""
    return strategy.features is Features.GRADIENT and strategy.name in WALKING


def cache_gradients(
    network: Network,
    head: Head,
    pool: PoolView,
    folder: Path,
    *,
    chunk: int,
    should_stop: Callable[[], bool],
) -> FeatureCache:
    """Sketch the gradients of every object that was not sketched yet.

    Args:
        network: whose gradients.
        head: the last layer of the full run.
        pool: all of its objects.
        folder: named by what decides them; filled here.
        chunk: objects at a time.
        should_stop: asked before every chunk.

    Returns:
        One array, `gradient`, 2 kB per object.
    """

    def compute(rows: slice) -> dict[str, Array]:
        return {"gradient": sketch_gradients(network, head, pool.of(pool.rows[rows]))}

    return fill_cache(folder, len(pool), compute, chunk=chunk, should_stop=should_stop)

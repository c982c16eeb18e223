"""Frozen labels become a network; a run that is taken up again finds it finished."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import CorruptArtifact, OutdatedCheckpoint
from al_service.models.network import Network
from al_service.models.samples import WHITENING_SAMPLE, evenly
from al_service.posterior.checkpoint import load_checkpoint, save_checkpoint
from al_service.posterior.features import extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.teaching import fit_head
from al_service.randomness import derived_seed
from al_service.rounds.artifacts import Artifacts, mark_used, save_text
from al_service.rounds.assignment import Assignment, Served
from al_service.rounds.refitting import label_weights
from al_service.rounds.scoring import (
    FeatureCache,
    cache_features,
    find_cache,
)
from al_service.rounds.training_data import LabeledObjects
from db.base import JsonObject
from db.tables import Run

_FINISHED: Final = "network.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Learned:
    """A network with the cached features of the whole pool."""

    network: Network
    digest: str
    """The checkpoint that names both."""
    run_id: int
    """The full run that trained it."""
    cache: FeatureCache
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long `train` (the network) and `score` (features of the pool) took."""


def learn(
    assignment: Assignment,
    frozen: LabeledObjects,
    previous: FeatureCache | None,
    *,
    pool_rows: NDArray[np.int64],
) -> Learned:
    """Train on the frozen labels and cache the pool's features.

    Args:
        assignment: a full run.
        frozen: its labels.
        previous: features under the network that serves, for pool-density weights.
        pool_rows: rows of the objects that may be asked for.
    """
    heart = assignment.heart
    started = time.perf_counter()
    network, digest = _network(assignment, frozen, previous, pool_rows=pool_rows)
    trained = time.perf_counter()
    cache = cache_network(assignment, network, digest, progress=heart.stage(0.5, 0.7))
    seconds = {"train": trained - started, "score": time.perf_counter() - trained}
    return Learned(network, digest, assignment.run_id, cache, seconds)


def load_learned(assignment: Assignment, served: Served) -> Learned | None:
    """The network that serves a campaign, features at hand; None before the first.

    Raises:
        CorruptArtifact: a file of it is not what its digest says.
        OutdatedCheckpoint: an older version of this service trained it.
    """
    if served.network_digest is None or served.network_run_id is None:
        return None
    network = load_checkpoint(
        assignment.artifacts.checkpoints, served.network_digest
    ).network
    # Nothing is computed here unless somebody has deleted the cache.
    cache = cache_network(
        assignment,
        network,
        served.network_digest,
        progress=assignment.heart.stage(0.0, 0.3),
    )
    return Learned(network, served.network_digest, served.network_run_id, cache)


def previous_features(
    assignment: Assignment, served: Served | None
) -> FeatureCache | None:
    """The pool's features under the network that serves, if they are still there."""
    if served is None or served.network_digest is None:
        return None
    folder = assignment.artifacts.features(
        served.network_digest, assignment.subject.pool_digest
    )
    cache = find_cache(folder)
    if cache is not None:
        mark_used(folder)
    return cache


def cache_network(
    assignment: Assignment,
    network: Network,
    digest: str,
    *,
    progress: Callable[[float], None],
) -> FeatureCache:
    """The pool's features under a network: computed where they are missing."""
    folder = assignment.artifacts.features(digest, assignment.subject.pool_digest)
    mark_used(folder)
    return cache_features(
        network,
        assignment.measured,
        folder,
        chunk=assignment.place.settings.score_chunk,
        progress=progress,
        should_stop=assignment.heart.should_stop,
    )


def finished_network(artifacts: Artifacts, run_id: int) -> str | None:
    """The checkpoint of a network that a run has trained, published or not."""
    finished = artifacts.run(run_id) / _FINISHED
    if not finished.exists():
        return None
    return str(json.loads(finished.read_text())["checkpoint"])


def train_network(
    assignment: Assignment,
    labels: LabeledObjects,
    *,
    pool_rows: NDArray[np.int64],
    alpha: float,
    previous: FeatureCache | None,
    progress: Callable[[float], None] = lambda _share: None,
) -> Network:
    """Train on some labels; every arm of the learning curve goes through here.

    Args:
        assignment: a full run.
        labels: what the network may see.
        pool_rows: rows of the objects that may be asked for: whatever is learned of
            unlabeled objects is learned of these, never of those that examine.
        alpha: exponent of the pool-density weights, 0 for none.
        previous: features in which the density is counted; None before there are any.
        progress: told the finished share.
    """
    measured, subject = assignment.measured, assignment.subject
    weights = None
    if previous is not None:
        weights = label_weights(previous, labels.rows, pool_rows=pool_rows, alpha=alpha)
    return fit_network(
        TrainingSet(
            measured.of(labels.rows),
            labels.values,
            labels.errors,
            weights,
            assignment.arrays.group_ids[labels.rows],
        ),
        targets=subject.targets,
        config=subject.model,
        seed=derived_seed(subject.seed, "network"),
        pool_inputs=measured.of(evenly(pool_rows, WHITENING_SAMPLE)),
        progress=progress,
        should_stop=assignment.heart.should_stop,
    )


def identity_of(assignment: Assignment) -> JsonObject:
    """What decides what a run becomes: a run's number begins anew with a database."""
    with assignment.sessions.begin() as session:
        run = session.get_one(Run, assignment.run_id)
        return identity_of_run(run, assignment.subject.pool_digest)


def identity_of_run(run: Run, pool_digest: str) -> JsonObject:
    """What has decided what a run became."""
    return {
        "label_digest": run.label_digest,
        "config_digest": run.config_digest,
        "seed": run.seed,
        "pool_digest": pool_digest,
    }


def _network(
    assignment: Assignment,
    frozen: LabeledObjects,
    previous: FeatureCache | None,
    *,
    pool_rows: NDArray[np.int64],
) -> tuple[Network, str]:
    """The run's network: trained, or found from an attempt that died later on."""
    finished = assignment.artifacts.run(assignment.run_id) / _FINISHED
    identity = identity_of(assignment)
    found = _read_finished(assignment, finished, identity)
    if found is not None:
        return found
    network = train_network(
        assignment,
        frozen,
        pool_rows=pool_rows,
        alpha=assignment.subject.strategy.weights_alpha,
        previous=previous,
        progress=assignment.heart.stage(0.0, 0.5),
    )
    features = extract(network, assignment.measured.of(frozen.rows))
    head = fit_head(network, features, frozen.values, frozen.errors)
    digest = save_checkpoint(assignment.artifacts.checkpoints, network, head)
    save_text(finished, json.dumps({"checkpoint": digest, **identity}))
    return network, digest


def _read_finished(
    assignment: Assignment, finished: Path, identity: JsonObject
) -> tuple[Network, str] | None:
    if not finished.exists():
        return None
    facts = json.loads(finished.read_text())
    digest = str(facts.pop("checkpoint"))
    if facts != identity:
        logger.warning("%s is of another run: the network is trained anew", finished)
        return None
    try:
        checkpoint = load_checkpoint(assignment.artifacts.checkpoints, digest)
    except (CorruptArtifact, OutdatedCheckpoint, FileNotFoundError):
        return None
    return checkpoint.network, digest

"""What a run has ordered, and of what: enough to explain it and to do it again.

Features, last layer and labels are recomputed from what is kept anyway: the full run's
checkpoint and the frozen labels. What nobody can know later is who was taken at that
moment, so that it is written down, with the order's digest.
"""

import hashlib
import json
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from al_service.acquisition.strategies import StrategyConfig
from al_service.errors import NotFound
from al_service.rounds.artifacts import Artifacts, save_text
from al_service.rounds.assignment import Assignment
from al_service.rounds.ordering import NewRanking, Queue
from al_service.rounds.scoring import FeatureCache
from al_service.rounds.terms import Terms
from db.base import JsonObject
from db.tables import Run


class OrderRecord(BaseModel):
    """The terms of one order."""

    model_config = ConfigDict(frozen=True)

    strategy: StrategyConfig
    seed: int
    size: int
    pool_digest: str
    features_digest: str
    """Of the cached features; empty where there was no network yet."""
    taken_rows: tuple[int, ...]
    """Rows of the objects that were labeled or handed out."""
    n_free: int
    order_digest: str
    """Of the objects and their scores, in order, bit for bit."""

    @classmethod
    def read(cls, artifacts: Artifacts, run: Run) -> Self:
        """The record of a run.

        Raises:
            NotFound: it ran before orders were kept, or another database that shares
                the folder has written a run of the same number there since.
        """
        order = (run.metrics or {}).get("order") or {}
        path = artifacts.root / "orders" / str(order.get("file"))
        if "file" not in order or not path.exists():
            raise NotFound("order of run", run.id)
        record = cls.model_validate_json(path.read_text())
        if record.order_digest != order["digest"]:
            raise NotFound("order of run", run.id)
        return record

    @property
    def taken(self) -> NDArray[np.int64]:
        """The rows as an array."""
        return np.asarray(self.taken_rows, dtype=np.int64)


def save_order(
    assignment: Assignment,
    terms: Terms,
    queue: Queue,
    ranking: NewRanking,
    *,
    cache: FeatureCache | None = None,
) -> JsonObject:
    """Write down what a run has ordered.

    Args:
        assignment: the run.
        terms: what decided.
        queue: what was free and what was taken.
        ranking: the order.
        cache: the features; None where there was no network yet.

    Returns:
        What the run's row says of it.
    """
    record = OrderRecord(
        strategy=terms.strategy,
        seed=terms.seed,
        size=terms.size,
        pool_digest=assignment.subject.pool_digest,
        features_digest="" if cache is None else cache.digest,
        taken_rows=tuple(queue.taken_rows.tolist()),
        n_free=len(queue.rows),
        order_digest=order_digest(ranking),
    )
    path = assignment.artifacts.order(assignment.run_id, assignment.claim.fence)
    facts: dict[str, Any] = record.model_dump(mode="json")  # Any: JSON
    save_text(path, json.dumps(facts))
    return {"file": path.name, "digest": record.order_digest}


def order_digest(ranking: NewRanking) -> str:
    """Digest of objects and scores: equal only where every bit is."""
    digest = hashlib.sha256(ranking.reason.encode())
    digest.update(np.ascontiguousarray(ranking.sky_object_ids, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(ranking.scores, dtype="<f8").tobytes())
    return digest.hexdigest()

"""Labels in the database become arrays: what trains, what examines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from al_service.evaluation.halves import is_calibration
from al_service.randomness import unit_hash
from al_service.survey.pool_arrays import PoolArrays
from db.repositories import training
from db.repositories.training import StoredOpinion
from db.tables import Campaign
from db.vocabulary import TrainingRole

EVALUATION_LIMIT: Final = 10_000
"""Objects that examine at most: the error of a mean over them is 1 %, and a pool of
millions knows the labels of more than a head run can look at."""


@dataclass(frozen=True)
class LabeledObjects:
    """`M` labeled objects in the order of their rows, one consensus each."""

    sky_object_ids: NDArray[np.int64]
    """`M` database identifiers."""
    rows: NDArray[np.int64]
    """`M` rows in the pool's arrays, ascending."""
    first_label_ids: NDArray[np.int64]
    """`M` identifiers of the first label of each: the order in which they came."""
    values: NDArray[np.float64]
    """`M x T` in the targets' units, NaN where unknown."""
    errors: NDArray[np.float64]
    """`M x T` standard deviations, NaN where unknown."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: NDArray[Any]) -> "LabeledObjects":  # Any: numbers or a mask
        """Some of the objects."""
        return LabeledObjects(
            self.sky_object_ids[rows],
            self.rows[rows],
            self.first_label_ids[rows],
            self.values[rows],
            self.errors[rows],
        )


@dataclass(frozen=True)
class EvaluationSet:
    """`E` objects that examine; never ranked, never trained on."""

    sky_object_ids: NDArray[np.int64]
    """`E` database identifiers."""
    rows: NDArray[np.int64]
    """`E` rows in the pool's arrays."""
    object_ids: NDArray[np.str_]
    group_ids: NDArray[np.str_]
    """`E` galaxies."""
    values: NDArray[np.float64]
    """`E x T` true values, NaN where unknown."""
    asked_for: bool
    """Whether batches ask for labels that the pool does not bring."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def labeled(self) -> NDArray[np.bool_]:
        """`E` flags: objects with any true value."""
        return np.asarray(np.isfinite(self.values).any(axis=1))

    @cached_property
    def calibrates(self) -> NDArray[np.bool_]:
        """`E` flags: the galaxies that calibrate; the others report coverage."""
        return np.array([is_calibration(str(name)) for name in self.group_ids], bool)


def labels_of_run(
    session: Session, run_id: int, role: TrainingRole, *, targets: Sequence[str]
) -> LabeledObjects:
    """The labels frozen into a run, as arrays."""
    return _consensus_of(training.opinions_of_run(session, run_id, role), targets)


def evaluation_set(
    session: Session, campaign: Campaign, arrays: PoolArrays
) -> EvaluationSet:
    """Objects and truth that examine the models of a campaign.

    A campaign without an evaluation sample is examined on every evaluation object
    whose labels the pool knows; otherwise its sample is asked for. The truth is what
    the pool knows and, for targets that it does not know, what was told.

    Args:
        session: reads in its transaction.
        campaign: whose models.
        arrays: the campaign's pool.
    """
    targets = [str(target) for target in campaign.targets]
    asked_for = campaign.evaluation_size > 0
    found = training.evaluation_rows(session, campaign, known=not asked_for)
    rows, ids = found["row"], found["sky_object_id"]
    values = _known_values(arrays, rows, targets)
    told = _consensus_of(training.evaluation_opinions(session, campaign.id), targets)
    place = {row: at for at, row in enumerate(rows.tolist())}
    for at, row in enumerate(told.rows.tolist()):
        if row in place:
            mine = values[place[row]]
            mine[:] = np.where(np.isfinite(mine), mine, told.values[at])
    if not asked_for:  # objects whose value the catalog lacks examine nothing
        kept = np.flatnonzero(np.isfinite(values).any(axis=1))
        kept = kept[_first_by_hash(arrays.object_ids[rows[kept]], campaign.seed)]
        rows, ids, values = rows[kept], ids[kept], values[kept]
    return EvaluationSet(
        ids,
        rows,
        arrays.object_ids[rows],
        arrays.group_ids[rows],
        values,
        asked_for=asked_for,
    )


def _known_values(
    arrays: PoolArrays, rows: NDArray[np.int64], targets: Sequence[str]
) -> NDArray[np.float64]:
    """`len(rows) x T` known labels, NaN where the pool brings none."""
    values = np.full((len(rows), len(targets)), np.nan)
    for column, target in enumerate(targets):
        if target in arrays.targets:
            known = arrays.known_values[rows, arrays.targets.index(target)]
            values[:, column] = known
    return values


def _first_by_hash(object_ids: NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    """At most `EVALUATION_LIMIT` positions, drawn by a hash, in ascending order."""
    if len(object_ids) <= EVALUATION_LIMIT:
        return np.arange(len(object_ids))
    drawn = np.array([unit_hash(seed, "examines", str(name)) for name in object_ids])
    return np.sort(np.argsort(drawn, kind="stable")[:EVALUATION_LIMIT])


def _consensus_of(
    opinions: Sequence[StoredOpinion], targets: Sequence[str]
) -> LabeledObjects:
    by_object: dict[int, list[StoredOpinion]] = {}
    for opinion in opinions:  # sorted by row, then by label
        by_object.setdefault(opinion.sky_object_id, []).append(opinion)
    count = len(by_object)
    values = np.full((count, len(targets)), np.nan)
    errors = np.full((count, len(targets)), np.nan)
    for at, group in enumerate(by_object.values()):
        for column, target in enumerate(targets):
            values[at, column], errors[at, column] = _consensus(group, target)
    firsts = [group[0] for group in by_object.values()]
    return LabeledObjects(
        np.array([first.sky_object_id for first in firsts], dtype=np.int64),
        np.array([first.row for first in firsts], dtype=np.int64),
        np.array([first.label_id for first in firsts], dtype=np.int64),
        values,
        errors,
    )


def _consensus(group: Sequence[StoredOpinion], target: str) -> tuple[float, float]:
    """What several labelers say together of one target.

    Returns:
        Value and standard deviation: the inverse-variance mean where every opinion
        has an error, otherwise the median, whose error is unknown; NaN where nobody
        said anything.
    """
    said = [one for one in group if one.values.get(target) is not None]
    if not said:
        return np.nan, np.nan
    if len(said) == 1:  # nearly always; a head run has no time for a median of one
        error = _error(said[0].errors, target)
        return float(said[0].values[target]), error if error > 0 else np.nan
    values = np.array([float(one.values[target]) for one in said])
    errors = np.array([_error(one.errors, target) for one in said])
    if np.all(errors > 0):
        weights = errors**-2.0
        mean = float(np.sum(weights * values) / np.sum(weights))
        return mean, float(np.sum(weights) ** -0.5)
    return float(np.median(values)), np.nan


def _error(errors: Mapping[str, Any], target: str) -> float:  # Any: JSON
    given = errors.get(target)
    return np.nan if given is None else float(given)

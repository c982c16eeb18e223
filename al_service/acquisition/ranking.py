"""An order of candidates, and the one rule by which scores become an order."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput


@dataclass(frozen=True)
class Ranking:
    """Candidates in the order of asking; every prefix is a batch."""

    order: NDArray[np.int64]
    """`K` positions in the candidates that were given, best first."""

    score: NDArray[np.float64]
    """`K` summed noise-normalized epistemic variances, in that order, no unit."""

    reason: str
    """Why these objects: the strategy's name, `random` or `cold_start`."""

    odd: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Positions in the candidates of those that the gate held back, ascending."""


def highest_first(
    score: NDArray[np.float64], object_ids: NDArray[np.str_], size: int
) -> NDArray[np.int64]:
    """The rows of the `size` highest scores, ties by object id.

    Only rows at or above the threshold are sorted by name: sorting a million texts
    costs more than everything else here.

    Args:
        score: `N` scores, finite, more is better.
        object_ids: `N` identifiers.
        size: how many rows to return at most.

    Returns:
        At most `size` rows, highest score first.
    """
    count = len(score)
    if size >= count:
        rows = np.arange(count)
    else:
        threshold = np.partition(score, count - size)[count - size]
        rows = np.flatnonzero(score >= threshold)
    order = np.lexsort((object_ids[rows], -score[rows]))
    return rows[order][:size].astype(np.int64)


def check_candidates(
    score: NDArray[np.float64],
    object_ids: NDArray[np.str_],
    group_ids: NDArray[np.str_],
) -> None:
    """Refuse columns of different lengths and scores that cannot be compared."""
    if not len(score) == len(object_ids) == len(group_ids):
        raise InvalidInput(
            "expected one score, object id and group id per candidate, got "
            f"{len(score)}, {len(object_ids)} and {len(group_ids)}"
        )
    unfit = np.flatnonzero(~np.isfinite(score))
    if len(unfit):
        raise InvalidInput(
            f"expected finite scores, got {score[unfit[0]]} for object "
            f"{object_ids[unfit[0]]} ({len(unfit)} such objects)"
        )


def unblocked(
    group_ids: NDArray[np.str_], blocked_groups: AbstractSet[str]
) -> NDArray[np.bool_]:
    """Which candidates are galaxies that nobody has labeled or is looking at.

    Args:
        group_ids: `N` galaxies; repeat observations share one.
        blocked_groups: galaxies with a label or an open lease.

    Returns:
        `N` flags.
    """
    return np.fromiter(
        (group not in blocked_groups for group in group_ids.tolist()),
        dtype=np.bool_,
        count=len(group_ids),
    )


def one_per_galaxy(
    rows: NDArray[np.int64], group_ids: NDArray[np.str_], *, size: int
) -> NDArray[np.int64]:
    """The first `size` rows, each galaxy at its first appearance only.

    A second spectrum of a galaxy teaches little that the first does not.

    Args:
        rows: rows in order of preference.
        group_ids: `N` galaxies.
        size: how many to keep at most.

    Returns:
        At most `size` of the rows, in their order.
    """
    seen: set[str] = set()
    kept: list[int] = []
    for row, group in zip(rows.tolist(), group_ids[rows].tolist(), strict=True):
        if group in seen:
            continue
        seen.add(group)
        kept.append(row)
        if len(kept) == size:
            break
    return np.asarray(kept, dtype=np.int64)

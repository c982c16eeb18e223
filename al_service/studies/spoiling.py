"""What a replayed campaign is told of a pool: the truth, or some of it spoiled.

Fibers are swapped, and catalogs list what is no galaxy. A strategy that goes for what
is unusual may ask for just that; replays show what it costs. Objects that examine stay
as they are.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.randomness import derived_seed
from al_service.studies.junk_view import with_junk
from al_service.survey.pool_view import PoolView

MOST_SPOILED: Final = 0.5
"""Shares are below it: where most is wrong, nobody could tell what is right."""


@dataclass(frozen=True)
class Told:
    """A pool of `N` objects as a campaign meets it."""

    view: PoolView
    """What its networks may look at, junk in some places."""
    values: NDArray[np.float64]
    """`N x T` labels that observers give, NaN where unknown."""
    errors: NDArray[np.float64]
    """`N x T` errors that come with them."""
    wrong: NDArray[np.bool_]
    """`N`, galaxies that get the label of another one."""
    junk: NDArray[np.bool_]
    """`N`, what is no galaxy; its label is that of one all the same."""


def spoil(
    view: PoolView,
    rows: NDArray[np.int64],
    *,
    seed: int,
    wrong_labels: float = 0.0,
    junk: float = 0.0,
) -> Told:
    """Spoil some of the objects that may be asked for.

    Args:
        view: of the whole pool.
        rows: of the objects that may be asked for, in any order; two galaxies or more.
        seed: of the replayed campaign; the same for every strategy.
        wrong_labels: share of the rows that get the label of another galaxy, below
            `MOST_SPOILED`.
        junk: share of the rows, others than those, that are no galaxy, likewise.

    Raises:
        InvalidInput: Junk is asked for where the pool has more than photometry.
    """
    arrays, rows = view.arrays, np.sort(rows)
    no_galaxy = _drawn(rows, junk, len(rows), derived_seed(seed, "replay junk"))
    galaxies = rows[~np.isin(rows, no_galaxy)]
    swapped = _drawn(
        galaxies, wrong_labels, len(rows), derived_seed(seed, "replay wrong labels")
    )
    values, errors = arrays.known_values.copy(), arrays.known_errors.copy()
    for some, purpose in ((no_galaxy, "of junk"), (swapped, "swapped")):
        others = _of_other_galaxies(
            some, rows, arrays.group_ids, _generator(seed, f"replay labels {purpose}")
        )
        values[some] = arrays.known_values[others]
        errors[some] = arrays.known_errors[others]
    if len(no_galaxy):
        view = with_junk(view, no_galaxy, _generator(seed, "replay junk fluxes"))
    return Told(
        view,
        values,
        errors,
        wrong=np.isin(np.arange(arrays.n_objects), swapped),
        junk=np.isin(np.arange(arrays.n_objects), no_galaxy),
    )


def _drawn(
    rows: NDArray[np.int64], share: float, of: int, seed: int
) -> NDArray[np.int64]:
    """A share of a number, drawn from rows: a larger share holds a smaller one."""
    return np.random.default_rng(seed).permutation(rows)[: round(share * of)]


def _generator(seed: int, purpose: str) -> Generator:
    return np.random.default_rng(derived_seed(seed, purpose))


def _of_other_galaxies(
    rows: NDArray[np.int64],
    donors: NDArray[np.int64],
    group_ids: NDArray[np.str_],
    generator: Generator,
) -> NDArray[np.int64]:
    """For each of the rows one of the donors that shows another galaxy."""
    drawn = generator.choice(donors, len(rows))
    while len(same := np.flatnonzero(group_ids[drawn] == group_ids[rows])):
        drawn[same] = generator.choice(donors, len(same))
    return drawn

"""The objects of a pool that is being put together, on disk until it is whole.

A million identifiers, positions and labels are 300 MB as Python's texts and numbers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from al_service.survey.catalogs.catalog import CatalogPart
from al_service.survey.importing.growing_table import Cells, GrowingTable

Floats = NDArray[np.float64]

MOST_WAITING: Final = 10_000
"""Objects that were added singly and wait in memory: 3 MB."""


@dataclass(frozen=True)
class _Single:
    """An object that no row of a catalog has brought."""

    object_id: str
    ra: float
    dec: float
    same_as: int | None


@dataclass
class ObjectList:
    """Objects in the order of the pool's rows; grows, never shrinks.

    The columns of its table: object_id, ra, dec, declared (galaxies by the catalog),
    spectrum_id (names of the objects' spectra), catalog_row (of the file, from 0), and
    two for each target.
    """

    table: GrowingTable
    targets: tuple[str, ...] = ()
    """Targets of the known labels; to be set before the first part."""
    is_declared: bool = False
    """Whether the catalog declares galaxies."""
    links: list[tuple[int, int]] = field(default_factory=list)
    """Pairs of objects that are one galaxy, whatever their positions."""
    _waiting: list[_Single] = field(default_factory=list)
    _count: int = 0

    def __len__(self) -> int:
        return self._count

    def add_part(self, part: CatalogPart) -> None:
        """Append the good rows of a part of a catalog."""
        n = len(part.object_ids)
        nothing: list[str | None] = [None] * n
        self.is_declared = part.group_ids is not None
        self._append(
            {
                "object_id": pa.array(part.object_ids, pa.string()),
                "ra": pa.array(part.ra),
                "dec": pa.array(part.dec),
                "declared": pa.array(part.group_ids or nothing, pa.string()),
                "spectrum_id": pa.array(part.spectrum_ids or nothing, pa.string()),
                "catalog_row": pa.array(part.rows, pa.int64()),
            },
            part.known_values,
            part.known_errors,
        )
        self._count += n

    def add(
        self, object_id: str, ra: float, dec: float, *, same_as: int | None = None
    ) -> int:
        """Append one object; answers its number.

        Args:
            object_id: unique: the caller has looked.
            ra: ICRS degrees.
            dec: ICRS degrees.
            same_as: number of an object of the catalog, of the same galaxy.
        """
        self._waiting.append(_Single(object_id, ra, dec, same_as))
        self._count += 1
        if same_as is not None:
            self.links.append((same_as, self._count - 1))
        if len(self._waiting) >= MOST_WAITING:
            self._append_waiting()
        return self._count - 1

    def texts(self, name: str) -> Iterator[str | None]:
        """A column of text, cell by cell."""
        for part in self._parts(name):
            yield from part.column(name).to_pylist()

    def encoded(self, name: str) -> Iterator[NDArray[np.bytes_]]:
        """A column of text in which no cell is empty, in parts, as UTF-8."""
        for part in self._parts(name):
            cells = part.column(name).cast(pa.binary()).to_pylist()
            yield np.array(cells, dtype=np.bytes_)

    def numbers(self, name: str) -> Iterator[Floats]:
        """A column of floating-point numbers, in parts."""
        for part in self._parts(name):
            yield part.column(name).to_numpy()

    def catalog_rows(self) -> NDArray[np.int64]:
        """Rows of the catalog's file that its objects were read from."""
        parts = (part.column("catalog_row") for part in self._parts("catalog_row"))
        numbers = [part.drop_null().to_numpy() for part in parts]
        return np.concatenate([np.zeros(0, dtype=np.int64), *numbers])

    def take(self, name: str, rows: NDArray[np.int64]) -> list[Any]:
        """Cells of a column, by the numbers of their objects."""
        self._append_waiting()
        return self.table.take(name, rows) if len(rows) else []

    def named(self, names: Iterable[str]) -> set[str]:
        """Those of some names that are identifiers of objects."""
        wanted = set(names)
        return wanted.intersection(self.texts("object_id")) if wanted else wanted

    def sky(self) -> tuple[Floats, Floats]:
        """`N` right ascensions and declinations, ICRS degrees: 16 bytes an object."""
        both = np.empty((2, len(self)))
        first = 0
        for ra, dec in self.sky_parts():
            both[:, first : first + len(ra)] = ra, dec
            first += len(ra)
        return both[0], both[1]

    def sky_parts(self) -> Iterator[tuple[Floats, Floats]]:
        """The same in parts."""
        for part in self._parts("ra", "dec"):
            yield part.column("ra").to_numpy(), part.column("dec").to_numpy()

    def known(self, targets: Sequence[str]) -> Iterator[tuple[Floats, Floats]]:
        """`K x T` known labels and errors of some targets, NaN where unknown, in parts.

        Args:
            targets: those of the catalog and others.
        """
        places = [list(targets).index(name) for name in self.targets]
        stored = [_label_columns(name) for name in self.targets]
        for part in self._parts("ra", *(name for pair in stored for name in pair)):
            values, errors = np.full((2, part.num_rows, len(targets)), np.nan)
            for place, (value, error) in zip(places, stored, strict=True):
                values[:, place] = part.column(value).to_numpy()
                errors[:, place] = part.column(error).to_numpy()
            yield values, errors

    def _parts(self, *names: str) -> Iterator[Cells]:
        self._append_waiting()
        return self.table.parts(names)

    def _append_waiting(self) -> None:
        """Write the objects that were added singly."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        n, unknown = len(waiting), np.full((len(waiting), len(self.targets)), np.nan)
        self._append(
            {
                "object_id": pa.array([one.object_id for one in waiting], pa.string()),
                "ra": pa.array([one.ra for one in waiting], pa.float64()),
                "dec": pa.array([one.dec for one in waiting], pa.float64()),
                "declared": pa.array(self._declared(waiting), pa.string()),
                "spectrum_id": pa.nulls(n, pa.string()),
                "catalog_row": pa.nulls(n, pa.int64()),
            },
            unknown,
            unknown,
        )

    def _declared(self, waiting: list[_Single]) -> list[str | None]:
        """Galaxies of objects that no catalog has declared: their own, or another's."""
        if not self.is_declared:
            return [None] * len(waiting)
        others = [one.same_as for one in waiting if one.same_as is not None]
        found = iter(self.take("declared", np.array(others, dtype=np.int64)))
        return [
            one.object_id if one.same_as is None else next(found) for one in waiting
        ]

    def _append(
        self, columns: dict[str, Cells], values: Floats, errors: Floats
    ) -> None:
        for place, target in enumerate(self.targets):
            for name, labels in zip(
                _label_columns(target), (values, errors), strict=True
            ):
                columns[name] = pa.array(labels[:, place])
        self.table.append(columns)


def _label_columns(target: str) -> tuple[str, str]:
    return target, f"{target}_err"

"""The small columns of a pool that is being put together."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from al_service.survey.catalogs.catalog import CatalogPart


@dataclass
class ObjectList:
    """Objects in the order of the pool's rows; grows, never shrinks."""

    targets: tuple[str, ...] = ()
    """Targets of the known labels."""
    ids: list[str] = field(default_factory=list)
    ra: "array[float]" = field(default_factory=lambda: array("d"))
    dec: "array[float]" = field(default_factory=lambda: array("d"))
    declared: list[str] | None = None
    """Galaxies by the catalog, if it declares them."""
    catalog_rows: "array[int]" = field(default_factory=lambda: array("q"))
    """Row of the file that each object of the catalog was read from."""
    spectrum_ids: list[str | None] | None = None
    """Names of the spectra of the catalog's objects, if it names them."""
    links: list[tuple[int, int]] = field(default_factory=list)
    """Pairs of objects that are one galaxy, whatever their positions."""
    _values: list[NDArray[np.float64]] = field(default_factory=list)
    _errors: list[NDArray[np.float64]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def add_part(self, part: CatalogPart) -> None:
        """Append the good rows of a part of a catalog."""
        self.ids += part.object_ids
        self.ra.extend(part.ra.tolist())
        self.dec.extend(part.dec.tolist())
        self.catalog_rows.extend(part.rows.tolist())
        if part.group_ids is not None:
            self.declared = (self.declared or []) + part.group_ids
        if part.spectrum_ids is not None:
            self.spectrum_ids = (self.spectrum_ids or []) + part.spectrum_ids
        self._values.append(part.known_values)
        self._errors.append(part.known_errors)

    def add(
        self, object_id: str, ra: float, dec: float, *, same_as: int | None = None
    ) -> int:
        """Append one object; answers its number.

        Args:
            object_id: unique: the caller has looked.
            ra: ICRS degrees.
            dec: ICRS degrees.
            same_as: number of an object of the same galaxy.
        """
        number = len(self.ids)
        self.ids.append(object_id)
        self.ra.append(ra)
        self.dec.append(dec)
        if self.declared is not None:
            self.declared.append(
                object_id if same_as is None else self.declared[same_as]
            )
        if same_as is not None:
            self.links.append((same_as, number))
        return number

    def sky(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`N` right ascensions and declinations, ICRS degrees."""
        return np.array(self.ra, dtype=np.float64), np.array(self.dec, np.float64)

    def known(
        self, targets: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`N x T` known labels and errors of some targets, NaN where unknown."""
        shape = (len(self), len(targets))
        values, errors = np.full(shape, np.nan), np.full(shape, np.nan)
        if self._values and self.targets:
            places = [list(targets).index(target) for target in self.targets]
            stored = np.concatenate(self._values)
            values[: len(stored), places] = stored
            errors[: len(stored), places] = np.concatenate(self._errors)
        return values, errors

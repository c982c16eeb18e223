"""The small columns of an imported pool in parts: galaxies and known labels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_service.survey.catalogs.seen import SeenTexts
from al_service.survey.importing.galaxies import JoinedNames, joined_names
from al_service.survey.importing.objects import Floats, ObjectList
from al_service.survey.importing.request import ImportCounts
from al_service.survey.importing.spectra import Observed
from al_service.survey.pool_columns import ColumnParts
from al_service.survey.pool_writer import ABSENT
from al_service.survey.targets import Target


@dataclass(frozen=True)
class SpectraLabels:
    """Redshifts by the pipeline of the spectra, for objects whose catalog has none."""

    observed: list[Observed]
    numbers: NDArray[np.int64]
    """`N` numbers of spectra, `ABSENT` where none."""

    def add_to(
        self, values: NDArray[np.float64], errors: NDArray[np.float64], first: int
    ) -> None:
        """Fill in what is unknown.

        Args:
            values: `K` redshifts of the objects from number `first` on.
            errors: `K`.
            first: number of an object.
        """
        numbers = self.numbers[first : first + len(values)]
        rows = np.flatnonzero((numbers != ABSENT) & ~np.isfinite(values))
        values[rows] = [self.observed[k].z for k in numbers[rows]]
        errors[rows] = [self.observed[k].z_err for k in numbers[rows]]


@dataclass(frozen=True)
class KnownLabels:
    """Known labels of the objects of a pool."""

    objects: ObjectList
    targets: tuple[str, ...]
    spectra: SpectraLabels | None

    def parts(self) -> Iterator[tuple[Floats, Floats]]:
        """`K x T` values and errors of all objects."""
        first = 0
        for values, errors in self.objects.known(self.targets):
            if self.spectra is not None:
                place = self.targets.index(Target.Z)
                self.spectra.add_to(values[:, place], errors[:, place], first)
            yield values, errors
            first += len(values)

    def count(self) -> int:
        """How many objects have any."""
        return sum(
            int(np.isfinite(values).any(axis=1).sum()) for values, _ in self.parts()
        )


def columns_of(
    objects: ObjectList, known: KnownLabels, counts: ImportCounts, radius_arcsec: float
) -> ColumnParts:
    """The columns of a pool; galaxies and labels are counted.

    Args:
        objects: all of the pool.
        known: their labels.
        counts: gets what was found.
        radius_arcsec: two positions closer than this are one galaxy.
    """
    name = "declared" if objects.is_declared else "object_id"
    n_names = _count_names(objects, name)
    joined = joined_names(
        *objects.sky(),
        lambda rows: objects.take(name, rows),
        radius_arcsec=radius_arcsec,
        links=objects.links,
    )
    counts.objects = len(objects)
    counts.galaxies = n_names - len(joined.names) + joined.n_galaxies
    counts.repeated = counts.objects - counts.galaxies
    counts.joined_groups = _count_joined(objects, joined)
    counts.known_labels = known.count()
    return ColumnParts(
        n_objects=len(objects),
        n_targets=len(known.targets),
        object_ids=lambda: objects.encoded("object_id"),
        group_ids=lambda: map(joined.groups_of, objects.encoded(name)),
        ra=lambda: objects.numbers("ra"),
        dec=lambda: objects.numbers("dec"),
        known_values=lambda: (values for values, _ in known.parts()),
        known_errors=lambda: (errors for _, errors in known.parts()),
        declared_groups=(lambda: objects.encoded("declared"))
        if objects.is_declared
        else None,
    )


def _count_names(objects: ObjectList, name: str) -> int:
    """How many different ones; identifiers are all different."""
    if not objects.is_declared:
        return len(objects)
    seen = SeenTexts()
    for part in objects.encoded(name):
        seen.add(np.char.decode(part, "utf-8").tolist())
    return len(seen)


def _count_joined(objects: ObjectList, joined: JoinedNames) -> int:
    """Objects whose declared galaxy was found to be another one, too."""
    if not objects.is_declared:
        return 0
    return sum(
        int((joined.groups_of(part) != part).sum())
        for part in objects.encoded("declared")
    )

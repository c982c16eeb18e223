"""The small columns of an imported pool, out of parts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from al_service.survey.importing.columns import (
    KnownLabels,
    SpectraLabels,
    columns_of,
)
from al_service.survey.importing.growing_table import GrowingTable
from al_service.survey.importing.objects import ObjectList
from al_service.survey.importing.request import ImportCounts
from al_service.survey.importing.spectra import Observed
from al_service.survey.pool_columns import ColumnParts, Texts
from al_service.survey.pool_writer import ABSENT
from tests.survey.importing.test_objects import part


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[ObjectList]:
    with GrowingTable(tmp_path / "objects") as table:
        objects = ObjectList(table, targets=("z",))
        yield objects


def spectrum(z: float) -> Observed:
    return Observed("s", (), ra=0.0, dec=0.0, sn_median=1.0, z=z, z_err=z / 100)


def columns(
    objects: ObjectList, spectra: SpectraLabels | None = None
) -> tuple[ColumnParts, ImportCounts]:
    counts = ImportCounts()
    known = KnownLabels(objects, ("z",), spectra)
    return columns_of(objects, known, counts, radius_arcsec=1.0), counts


def texts(bring: Texts) -> list[str]:
    return [text.decode() for some in bring() for text in some.tolist()]


def test_redshifts_of_spectra_fill_what_a_catalog_leaves_open_in_every_part(
    objects: ObjectList,
) -> None:
    first, second = part(0, 3), part(3, 2)
    first.known_values[1] = second.known_values[1] = np.nan
    objects.add_part(first)
    objects.add_part(second)
    objects.add("alone", 90.0, 45.0)
    observed = [spectrum(z) for z in (0.5, 0.6, np.nan)]
    # Numbers of spectra: known redshifts win, those with warnings are none.
    numbers = np.array([0, 1, ABSENT, ABSENT, 0, 2])
    found, counts = columns(objects, SpectraLabels(observed, numbers))
    for _ in range(2):  # as often as they are brought
        values = np.concatenate([*found.known_values()])[:, 0]
        errors = np.concatenate([*found.known_errors()])[:, 0]
        np.testing.assert_array_equal(values, [0, 0.6, 2, 3, 0.5, np.nan])
        np.testing.assert_array_equal(errors, [0.5, 0.006, 0.5, 0.5, 0.005, np.nan])
    assert counts.known_labels == 5


def test_galaxies_are_counted_once_whatever_part_their_objects_are_in(
    objects: ObjectList,
) -> None:
    objects.add_part(part(0, 3))
    objects.add_part(part(3, 2))
    objects.add("f", 4.0, 0.5 / 3600)
    objects.add("elsewhere", 90.0, 45.0, same_as=0)
    found, counts = columns(objects)
    assert found.declared_groups is None
    assert texts(found.group_ids) == [
        "elsewhere", "g1", "g2", "g3", "f", "f", "elsewhere",
    ]  # fmt: skip
    assert (counts.objects, counts.galaxies, counts.repeated) == (7, 5, 2)
    assert counts.joined_groups == 0


def test_declared_galaxies_at_one_place_are_joined_and_counted(
    objects: ObjectList,
) -> None:
    first, second = part(0, 3, declared=True), part(3, 2, declared=True)
    assert first.group_ids is not None
    assert second.group_ids is not None
    first.group_ids[:] = ["a", "b", "c"]
    second.group_ids[:] = ["a", "d"]
    first.ra[2] = second.ra[1]  # the third of the first part and the last: "c" is "d"
    objects.add_part(first)
    objects.add_part(second)
    found, counts = columns(objects)
    assert found.declared_groups is not None
    assert texts(found.declared_groups) == ["a", "b", "c", "a", "d"]
    assert texts(found.group_ids) == ["a", "b", "c", "a", "c"]
    assert (counts.objects, counts.galaxies, counts.repeated) == (5, 3, 2)
    assert counts.joined_groups == 1

"""The objects of a pool that is being put together."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from al_service.survey.catalogs.catalog import CatalogPart
from al_service.survey.importing import objects as objects_module
from al_service.survey.importing.growing_table import GrowingTable
from al_service.survey.importing.objects import ObjectList


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[ObjectList]:
    with GrowingTable(tmp_path / "objects") as table:
        yield ObjectList(table)
    assert not list(tmp_path.iterdir()), "the disk is given back"


def part(first: int, count: int, *, declared: bool = False) -> CatalogPart:
    numbers = range(first, first + count)
    names = [f"g{number}" for number in numbers]
    return CatalogPart(
        object_ids=names,
        ra=np.array(numbers, dtype=np.float64),
        dec=np.zeros(count),
        group_ids=[f"galaxy of {name}" for name in names] if declared else None,
        spectrum_ids=None,
        photometry=np.zeros((count, 25), dtype=np.float32),
        known_values=np.array(numbers, dtype=np.float64)[:, None],
        known_errors=np.full((count, 1), 0.5),
        rows=np.array(numbers) * 2,
        problems=[],
        n_distrusted=0,
    )


def test_objects_are_read_in_their_order_while_they_grow(objects: ObjectList) -> None:
    assert list(objects.texts("object_id")) == []
    objects.targets = ("z",)
    objects.add_part(part(0, 3))
    assert objects.add("ä", 300.0, -1.0) == 3
    assert list(objects.texts("object_id")) == ["g0", "g1", "g2", "ä"]
    objects.add_part(part(4, 2))
    assert len(objects) == 6
    assert objects.sky()[0].tolist() == [0, 1, 2, 300, 4, 5]
    assert np.concatenate([*objects.encoded("object_id")]).tolist() == [
        name.encode() for name in ("g0", "g1", "g2", "ä", "g4", "g5")
    ]
    assert objects.catalog_rows().tolist() == [0, 2, 4, 8, 10]
    assert objects.take("object_id", np.array([5, 0, 3, 0])) == ["g5", "g0", "ä", "g0"]
    assert objects.named(["g4", "ä", "nobody"]) == {"g4", "ä"}


def test_labels_stand_at_their_targets_and_are_unknown_elsewhere(
    objects: ObjectList,
) -> None:
    objects.targets = ("z",)
    objects.add_part(part(0, 2))
    objects.add("alone", 1.0, 1.0)
    values, errors = (
        np.concatenate(both)
        for both in zip(*objects.known(("sfr_avg", "z")), strict=True)
    )
    np.testing.assert_array_equal(values, [[np.nan, 0], [np.nan, 1], [np.nan] * 2])
    np.testing.assert_array_equal(errors[:, 1], [0.5, 0.5, np.nan])


def test_a_further_spectrum_belongs_to_the_galaxy_that_its_object_was_declared(
    objects: ObjectList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects_module, "MOST_WAITING", 2)
    objects.targets = ("z",)
    objects.add_part(part(0, 3, declared=True))
    for name, same in (("a", 2), ("b", None), ("c", 0)):
        objects.add(name, 0.0, 0.0, same_as=same)
    assert list(objects.texts("declared"))[3:] == ["galaxy of g2", "b", "galaxy of g0"]
    assert objects.links == [(2, 3), (0, 5)]

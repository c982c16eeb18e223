"""What head runs remember of distances is what they would find anew."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.acquisition.distances import Nearest, nearest_center
from al_service.rounds.nearest_labels import NearestLabels, remember, remembered
from db.vocabulary import RunKind
from tests.conftest import Database
from tests.rounds.observatory import build_observatory

N = 600
Rows = NDArray[np.int64]


@pytest.fixture(scope="module")
def phi() -> NDArray[np.float32]:
    generator = np.random.default_rng(0)
    return generator.standard_normal((N, 16)).astype(np.float32)


def rows_of(*some: int) -> Rows:
    return np.array(some, dtype=np.int64)


def compare(
    known: NearestLabels, phi: NDArray[np.float32], rows: Rows, centers: Rows
) -> Nearest:
    return known.compare(centers, rows, phi[rows], phi[centers])


def check(found: Nearest, phi: NDArray[np.float32], rows: Rows, centers: Rows) -> None:
    expected = nearest_center(phi[rows], phi[centers])
    assert found.center.tolist() == expected.center.tolist()
    assert found.squared.tolist() == expected.squared.tolist()


def test_labels_that_come_later_are_compared_with_what_is_known(
    phi: NDArray[np.float32],
) -> None:
    rows, known = np.arange(300, N), NearestLabels.unknown(N)
    for labels in (np.arange(0, 200, 2), np.arange(0, 200), np.arange(0, 290)):
        known = known.knowing(labels)
        check(compare(known, phi, rows, labels), phi, rows, labels)


def test_only_what_is_new_is_computed(phi: NDArray[np.float32]) -> None:
    rows, labels = np.arange(300, N), np.arange(0, 100)
    first = NearestLabels.unknown(N).knowing(labels)
    compare(first, phi, rows, labels)
    second = first.knowing(np.arange(0, 110))
    untrue = phi.copy()
    untrue[labels] = phi[rows[0]]  # whoever looks at them again finds distance 0
    found = compare(second, untrue, rows[1:], np.arange(0, 110))
    check(found, phi, rows[1:], np.arange(0, 110))


def test_objects_that_joined_later_are_compared_with_all_labels(
    phi: NDArray[np.float32],
) -> None:
    known = NearestLabels.unknown(N).knowing(np.arange(0, 50))
    compare(known, phi, np.arange(300, 400), np.arange(0, 50))
    known = known.knowing(np.arange(0, 80))
    for rows in (np.arange(350, 450), np.arange(300, N)):
        check(compare(known, phi, rows, np.arange(0, 80)), phi, rows, np.arange(0, 80))


def test_an_object_that_is_looked_at_is_a_center_for_this_once(
    phi: NDArray[np.float32],
) -> None:
    rows, labels = np.arange(300, N), np.arange(0, 50)
    known = NearestLabels.unknown(N).knowing(labels)
    leased = np.union1d(labels, rows_of(60, 70, 250))
    check(compare(known, phi, rows, leased), phi, rows, leased)
    check(compare(known, phi, rows, labels), phi, rows, labels)


def test_without_labels_there_is_nothing_to_remember(phi: NDArray[np.float32]) -> None:
    rows, leased = np.arange(300, N), rows_of(4, 8)
    known = NearestLabels.unknown(N).knowing(rows_of())
    check(compare(known, phi, rows, leased), phi, rows, leased)
    assert not known.compared.any()


def test_a_label_of_another_database_makes_everything_unknown(
    phi: NDArray[np.float32],
) -> None:
    rows, labels = np.arange(300, N), np.arange(0, 50)
    known = NearestLabels.unknown(N).knowing(labels)
    compare(known, phi, rows, labels)
    fewer = labels[1:]
    check(compare(known.knowing(fewer), phi, rows, fewer), phi, rows, fewer)


def test_what_was_kept_is_read_again_and_damage_is_noticed(
    phi: NDArray[np.float32], tmp_path: Path
) -> None:
    path = tmp_path / "nearest.npz"
    assert not remembered(path, N).compared.any()
    known = NearestLabels.unknown(N).knowing(np.arange(0, 50))
    compare(known, phi, np.arange(300, N), np.arange(0, 50))
    remember(path, known)
    again = remembered(path, N)
    assert again.squared.tolist() == known.squared.tolist()
    assert again.labels.tolist() == known.labels.tolist()
    assert not remembered(path, N + 1).compared.any(), "of another pool"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    assert not remembered(path, N).compared.any()
    path.write_bytes(b"PK")
    assert not remembered(path, N).compared.any()


def test_a_head_run_ranks_the_same_with_and_without_what_was_remembered(
    database: Database, tmp_path: Path
) -> None:
    sky = build_observatory(database.sessions, tmp_path)
    campaign_id = sky.open_campaign()
    sky.observe(campaign_id, 60)
    sky.publish(campaign_id, RunKind.FULL)
    sky.observe(campaign_id, 10)
    orders = []
    for forgets in (False, True):
        (kept,) = (sky.artifacts / "features").glob(f"*/nearest-labels-{campaign_id}.*")
        if forgets:
            kept.unlink()
        sky.publish(campaign_id, RunKind.HEAD)
        orders.append(sky.ranking(campaign_id))
    assert orders[0] == orders[1]

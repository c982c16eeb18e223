import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from al_service.errors import NotFound
from al_service.rounds import explaining
from al_service.rounds.explaining import Explanation, Replayed
from db.vocabulary import RunKind
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory


@pytest.fixture
def observatory(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def replayed(observatory: Observatory, batch_id: int) -> Replayed:
    return explaining.replay(
        batch_id, sessions=observatory.sessions, settings=observatory.settings
    )


def explained(observatory: Observatory, batch_id: int) -> Explanation:
    return explaining.explain(
        batch_id, sessions=observatory.sessions, settings=observatory.settings
    )


def taught(
    observatory: Observatory,
    strategy: str,
    **settings: Any,  # Any: its fields
) -> tuple[int, int]:
    """A campaign with a network, and the number of a batch that walks its order."""
    campaign = observatory.open_campaign(
        strategy={"name": strategy, **settings}, random_share=0.2
    )
    observatory.observe(campaign, 60)
    observatory.carry_out(observatory.plan(campaign, RunKind.FULL))
    return campaign, observatory.observe(campaign, 8).id


@pytest.mark.parametrize("strategy", ["lcmd", "bait"])
def test_a_batch_comes_out_again_bit_for_bit_however_much_was_learned_since(
    observatory: Observatory, strategy: str
) -> None:
    campaign, batch = taught(observatory, strategy)
    observatory.observe(campaign, 5)
    observatory.carry_out(observatory.plan(campaign, RunKind.HEAD))
    later = observatory.observe(campaign, 5).id

    for number in (batch, later):
        found = replayed(observatory, number)
        assert found.same_order
        assert found.same_features
        assert found.differing == ()


@pytest.mark.parametrize("strategy", ["lcmd", "bait"])
def test_objects_may_be_compared_by_gradients(
    observatory: Observatory, strategy: str
) -> None:
    """The order of a head run hangs on the last layer of the full run before it."""
    campaign, batch = taught(observatory, strategy, features="gradient")
    observatory.carry_out(observatory.plan(campaign, RunKind.HEAD))
    later = observatory.observe(campaign, 5).id
    (kept,) = (observatory.artifacts / "features").glob("*-*-*")
    assert (kept / "gradient.npy").exists()

    again = [replayed(observatory, number) for number in (batch, later)]
    shutil.rmtree(kept)
    again += [replayed(observatory, number) for number in (batch, later)]

    assert all(found.same_order for found in again)
    assert not list((observatory.artifacts / "features").glob("*-*-*"))


def test_features_that_were_tidied_away_are_computed_again(
    observatory: Observatory,
) -> None:
    _, batch = taught(observatory, "lcmd")
    shutil.rmtree(observatory.artifacts / "features")

    assert replayed(observatory, batch).same_order
    assert not (observatory.artifacts / "features").exists()


def first_batch(observatory: Observatory) -> int:
    """Six objects of an order that was made before there were labels."""
    campaign = observatory.open_campaign(random_share=0.0)
    first = observatory.live_run(campaign, RunKind.SCORE)
    assert first is not None
    observatory.carry_out(first.id)
    return observatory.observe(campaign, 6).id


def test_the_first_order_without_labels_comes_out_again(
    observatory: Observatory,
) -> None:
    batch = first_batch(observatory)

    assert replayed(observatory, batch).same_order
    found = explained(observatory, batch)
    assert {item.reason for item in found.items} == {"cold_start"}
    assert found.n_labels == 0


def test_an_order_that_was_made_otherwise_is_told_apart(
    observatory: Observatory,
) -> None:
    _, batch = taught(observatory, "lcmd")
    (path,) = (observatory.artifacts / "orders").glob("*.json")
    record = json.loads(path.read_text())
    record["strategy"]["name"] = "coreset"
    path.write_text(json.dumps(record))

    found = replayed(observatory, batch)

    assert not found.same_order
    assert found.differing


def test_an_order_of_another_database_is_not_taken_for_this_one(
    observatory: Observatory,
) -> None:
    batch = first_batch(observatory)
    (path,) = (observatory.artifacts / "orders").glob("*.json")
    record = json.loads(path.read_text())
    record["order_digest"] = "0" * 64
    path.write_text(json.dumps(record))

    with pytest.raises(NotFound, match="order of run"):
        replayed(observatory, batch)


def test_every_object_says_what_it_is_near_to(observatory: Observatory) -> None:
    _, batch = taught(observatory, "lcmd")

    found = explained(observatory, batch)

    assert found.strategy["name"] == "lcmd"
    assert found.n_labels == found.n_taken == 60
    assert len(found.features_digest) == len(found.order_digest) == 64
    assert {item.reason for item in found.items} <= {"lcmd", "random"}
    first, *others = found.items
    assert first.near_to is not None
    assert first.near_to_in_batch is None
    handed = [item.object_id for item in found.items]
    for number, item in enumerate(others, start=1):
        assert item.near_to_in_batch in handed[:number]
        assert item.near_to not in handed
        assert item.distance is not None
        assert item.distance > 0


def test_nothing_is_in_a_transaction_while_the_record_of_an_order_is_read(
    observatory: Observatory,
) -> None:
    _, batch = taught(observatory, "lcmd")
    (path,) = (observatory.artifacts / "orders").glob("*.json")
    record = path.read_text()
    path.unlink()
    os.mkfifo(path)

    with ThreadPoolExecutor() as threads:
        explaining_it = threads.submit(explained, observatory, batch)
        with path.open("w") as pipe:  # once somebody reads
            open_ones = in_transaction(observatory)
            pipe.write(record)
        explaining_it.result()

    assert open_ones == 0


def in_transaction(observatory: Observatory) -> int:
    """How many connections hold a transaction open and do something else."""
    with observatory.sessions.begin() as session:
        found: int | None = session.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                " AND state LIKE 'idle in transaction%'"
            )
        )
    return found or 0


def test_a_batch_before_any_order_has_nothing_to_explain(
    observatory: Observatory,
) -> None:
    campaign = observatory.open_campaign()
    batch = observatory.observe(campaign, 3).id

    with pytest.raises(NotFound, match="order of batch"):
        explained(observatory, batch)
    with pytest.raises(NotFound, match="batch"):
        replayed(observatory, batch + 1000)

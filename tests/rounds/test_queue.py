"""Where the objects of a campaign stand when a run reads them."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, text

from al_service.rounds.ordering import read_queue
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def test_free_leased_and_labeled_objects_are_told_apart(sky: Observatory) -> None:
    campaign_id = sky.open_campaign(overlap=2)
    labeled = {item.object_id for item in sky.observe(campaign_id, 30).items}
    leased = {item.object_id for item in sky.ask(campaign_id, 10).items}
    with sky.sessions.begin() as session:
        queue = read_queue(session, campaign_id)
        known = session.execute(text("SELECT id, object_id FROM sky_object"))
        names = {number: str(name) for number, name in known}
    of_row = sky.arrays.object_ids
    assert {names[one] for one in queue.leased_ids.tolist()} >= leased
    assert {str(of_row[row]) for row in queue.leased_rows} >= leased
    assert {str(of_row[row]) for row in queue.taken_rows} >= leased | labeled
    assert not {names[one] for one in queue.sky_object_ids.tolist()} & leased
    for ids, rows in (
        (queue.sky_object_ids, queue.rows),
        (queue.leased_ids, queue.leased_rows),
    ):
        assert [names[one] for one in ids.tolist()] == of_row[rows].tolist()
        assert (np.diff(rows) > 0).all(), "each object once, by row"
    assert len(queue.random_keys) == len(queue.rows)


def test_an_object_that_is_handed_out_meanwhile_is_either_free_or_taken(
    sky: Observatory,
) -> None:
    """Free objects and taken ones were two statements: one between them was lost."""
    campaign_id = sky.open_campaign()
    read = 0

    def hand_out(*_: object) -> None:
        nonlocal read
        read += 1
        if read == 1:  # somebody asks as soon as the first statement was answered
            sky.ask(campaign_id, 20)

    with sky.sessions.begin() as session:
        connection = session.connection()
        event.listen(connection, "after_cursor_execute", hand_out)
        queue = read_queue(session, campaign_id)
        event.remove(connection, "after_cursor_execute", hand_out)
    assert read == 1
    assert len(queue.pool_rows) == len(sky.object_ids("pool"))
    assert not np.isin(queue.rows, queue.taken_rows).any()

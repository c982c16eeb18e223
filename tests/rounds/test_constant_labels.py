from pathlib import Path

import pytest

from db.vocabulary import RunKind, RunState
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


@pytest.mark.parametrize("redshift", [0.0, 0.1])
def test_labels_that_all_say_the_same_do_not_end_a_run(
    sky: Observatory, redshift: float
) -> None:
    """A night on one cluster: every galaxy has its redshift."""
    campaign_id = sky.open_campaign()
    batch = sky.ask(campaign_id, 40)
    sky.tell_values(campaign_id, {item.object_id: redshift for item in batch.items})
    run = sky.carry_out(sky.plan(campaign_id, RunKind.FULL))
    assert run.state is RunState.PUBLISHED, run.message

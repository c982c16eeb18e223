"""A network that an older version trained cannot be read: another one is trained."""

import hashlib
import json
from pathlib import Path

import pytest

from al_service.posterior.checkpoint import FORMAT_VERSION, SERVED_VERSIONS
from db.tables import Run
from db.vocabulary import RunKind, RunState
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory, start_full_run


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def grow_old(sky: Observatory, digest: str) -> str:
    """The checkpoint as the older version wrote it, under the name that it then has."""
    folder = sky.artifacts / "checkpoints" / digest
    facts = json.loads((folder / "manifest.json").read_text())
    manifest = json.dumps({**facts, "version": SERVED_VERSIONS[0] - 1}).encode()
    (folder / "manifest.json").write_bytes(manifest)
    name = hashlib.sha256(manifest).hexdigest()
    folder.rename(folder.with_name(name))
    return name


def test_a_head_run_on_it_asks_for_a_full_run_and_the_next_one_succeeds(
    sky: Observatory,
) -> None:
    """Every head run after the upgrade failed until fifty labels had come."""
    campaign_id, run_id = start_full_run(sky)
    sky.carry_out(run_id)
    with sky.sessions.begin() as session:
        run = session.get_one(Run, run_id)
        assert run.metrics is not None
        run.metrics = {**run.metrics, "network": grow_old(sky, run.metrics["network"])}
    sky.observe(campaign_id, 1)

    head = sky.carry_out(sky.plan(campaign_id, RunKind.HEAD))

    assert head.state is RunState.FAILED
    outdated = f"expected a checkpoint of format {FORMAT_VERSION}, found"
    assert outdated in str(head.message)
    full = sky.live_run(campaign_id, RunKind.FULL)
    assert full is not None
    assert sky.carry_out(full.id).state is RunState.PUBLISHED
    sky.observe(campaign_id, 1)
    sky.publish(campaign_id, RunKind.HEAD)


def test_a_full_run_that_is_taken_up_again_trains_instead_of_reading_it(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    finished = sky.artifacts / "runs" / str(run_id) / "network.json"
    sky.carry_out(run_id, shutting_down=finished.exists)
    facts = json.loads(finished.read_text())
    old = grow_old(sky, facts["checkpoint"])
    finished.write_text(json.dumps({**facts, "checkpoint": old}))

    again = sky.carry_out(run_id)

    assert (again.state, again.message) == (RunState.PUBLISHED, None)
    assert sky.served(campaign_id) == run_id
    assert json.loads(finished.read_text())["checkpoint"] != old

import os
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from al_service.rounds import retention
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.retention import forget
from al_service.survey.unfinished import held
from db.tables import Run
from db.vocabulary import RunKind, RunState
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory, start_full_run

AT_ONCE = timedelta(0)


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def checkpoint(sky: Observatory, run: Run) -> Path:
    return Artifacts(sky.artifacts).checkpoints / str(run.checkpoint_digest)


def test_only_what_serves_and_what_the_gate_compares_with_is_kept(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    first = sky.carry_out(run_id)
    heads = []
    for _ in range(2):
        sky.observe(campaign_id, 20)
        heads.append(sky.publish(campaign_id, RunKind.HEAD))
    second = sky.publish(campaign_id, RunKind.FULL)
    artifacts = Artifacts(sky.artifacts)
    assert len(artifacts.caches()) == 2

    forget(sessions=sky.sessions, artifacts=artifacts, grace=AT_ONCE)

    assert second.metrics is not None
    (cache,) = artifacts.caches()
    assert cache.name.startswith(second.metrics["network"])
    assert checkpoint(sky, first).is_dir(), "full runs are a campaign's history"
    assert checkpoint(sky, second).is_dir()
    for head in heads:
        best = second.metrics["best_run"] == head.id
        assert checkpoint(sky, head).is_dir() == best
        assert artifacts.run(head.id).exists() == best
    sky.observe(campaign_id, 5)
    sky.publish(campaign_id, RunKind.HEAD)


def test_what_killed_workers_had_begun_to_write_is_deleted(sky: Observatory) -> None:
    """Hidden checkpoints of megabytes stayed for good."""
    artifacts = Artifacts(sky.artifacts)
    left = [
        artifacts.checkpoints / ".0a1b.partial-0123",
        artifacts.arms / ".7-1-random.npz.0123",
        artifacts.run(7) / ".features.npz.0123",
        artifacts.orders / ".7-1.json.0123",
    ]
    for path in left:
        path.mkdir(parents=True)
    living = artifacts.orders / ".8-1.json.0123"
    living.touch()
    with held(living):
        forget(sessions=sky.sessions, artifacts=artifacts, grace=retention.GRACE)
        assert living.exists()
    assert not any(path.exists() for path in left)


def test_nothing_that_somebody_may_still_read_is_deleted(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky)
    sky.carry_out(run_id)
    sky.observe(campaign_id, 20)
    head_on_the_old_network = sky.plan(campaign_id, RunKind.HEAD)
    sky.publish(campaign_id, RunKind.FULL)
    artifacts = Artifacts(sky.artifacts)

    forget(sessions=sky.sessions, artifacts=artifacts, grace=AT_ONCE)
    assert len(artifacts.caches()) == 2
    sky.carry_out(head_on_the_old_network)
    forget(sessions=sky.sessions, artifacts=artifacts, grace=retention.GRACE)
    assert len(artifacts.caches()) == 2, "they ended a moment ago"
    forget(sessions=sky.sessions, artifacts=artifacts, grace=AT_ONCE)

    assert len(artifacts.caches()) == 1


def let_age(folder: Path) -> None:
    long_ago = time.time() - 2 * retention.GRACE.total_seconds()
    os.utime(folder, (long_ago, long_ago))


def test_a_network_that_served_for_weeks_is_deleted_when_it_is_replaced(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    sky.carry_out(run_id)
    artifacts = Artifacts(sky.artifacts)
    (first,) = artifacts.caches()
    sky.observe(campaign_id, 20)
    sky.publish(campaign_id, RunKind.FULL)
    with sky.sessions.begin() as session:
        session.execute(
            update(Run)
            .where(Run.id == run_id)
            .values(finished_at=Run.finished_at - timedelta(weeks=3))
        )
    for folder in artifacts.caches():
        let_age(folder)

    forget(sessions=sky.sessions, artifacts=artifacts)

    (cache,) = artifacts.caches()
    assert cache != first


def test_what_no_run_names_is_deleted_when_it_is_old(sky: Observatory) -> None:
    """Left behind by runs that failed or were canceled: no row names their files."""
    _, run_id = start_full_run(sky)
    sky.carry_out(run_id)
    artifacts = Artifacts(sky.artifacts)
    (cache,) = artifacts.caches()
    served = {cache, *artifacts.saved_checkpoints(), artifacts.run(run_id)}
    leaked = [cache.with_name("0ff-0"), artifacts.checkpoints / "0ff"]
    leaked.append(artifacts.run(run_id + 1000))
    for folder in leaked:
        shutil.copytree(cache, folder)
    forget(sessions=sky.sessions, artifacts=artifacts)
    assert all(folder.is_dir() for folder in leaked), "they are young"

    for folder in (*leaked, *served):
        let_age(folder)
    forget(sessions=sky.sessions, artifacts=artifacts)

    assert not any(folder.exists() for folder in leaked)
    assert all(folder.is_dir() for folder in served)


def test_a_live_run_keeps_the_network_that_its_row_does_not_name_yet(
    sky: Observatory,
) -> None:
    _, run_id = start_full_run(sky)
    artifacts = Artifacts(sky.artifacts)
    trained = artifacts.run(run_id) / "network.json"
    waiting = sky.carry_out(run_id, shutting_down=trained.exists)
    assert waiting.state is RunState.PLANNED
    (checkpoint,) = artifacts.saved_checkpoints()

    forget(sessions=sky.sessions, artifacts=artifacts, grace=AT_ONCE)

    assert checkpoint.is_dir()
    assert trained.exists()

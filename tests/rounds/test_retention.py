from datetime import timedelta
from pathlib import Path

import pytest

from al_service.rounds import retention
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.retention import forget
from db.tables import Run
from db.vocabulary import RunKind
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
        assert artifacts.evaluation_predictions(head.id).exists() == best
    sky.observe(campaign_id, 5)
    sky.publish(campaign_id, RunKind.HEAD)


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

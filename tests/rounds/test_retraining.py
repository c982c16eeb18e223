import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text, update

from al_service.local.processes import wait_until
from al_service.rounds import claiming
from al_service.rounds.artifacts import Artifacts
from db.tables import Run
from db.vocabulary import RunKind, RunState
from tests.conftest import Database
from tests.rounds.observatory import (
    ENDLESS_MODEL,
    Observatory,
    build_observatory,
    start_full_run,
)

PATIENCE_SECONDS = 60.0
STOP_SECONDS = 10.0
"""Training ends within so long after it was told to."""


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def test_a_message_delivered_twice_publishes_once(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky)
    started = threading.Barrier(2)

    def deliver(worker: str) -> None:
        started.wait(PATIENCE_SECONDS)
        sky.carry_out(run_id, worker=worker)

    workers = [threading.Thread(target=deliver, args=(name,)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_SECONDS)
    sky.carry_out(run_id, worker="an hour later")

    run = sky.run(run_id)
    assert run.state is RunState.PUBLISHED
    assert (run.attempts, run.fence) == (1, 1)
    metrics = [(point.arm, point.metric) for point in sky.points(run_id)]
    assert len(metrics) == len(set(metrics))
    assert sky.count_published(campaign_id, RunKind.FULL) == 1


def test_a_worker_that_lost_its_claim_publishes_nothing(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky)
    robbed = False

    def steal() -> bool:
        """Somebody else takes the run up in the middle of the training."""
        nonlocal robbed
        if not robbed:
            robbed = True
            with sky.sessions.begin() as session:
                session.execute(update(Run).values(fence=Run.fence + 1, worker="thief"))
        return False

    run = sky.carry_out(run_id, shutting_down=steal)

    assert (run.state, run.worker) == (RunState.RUNNING, "thief")
    assert sky.served(campaign_id) != run_id
    assert sky.points(run_id) == []
    assert sky.predictions(campaign_id) == {}


def test_a_run_whose_worker_was_told_to_end_goes_back_to_the_queue(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky, model=ENDLESS_MODEL)

    run = sky.carry_out(run_id, shutting_down=lambda: True)

    assert (run.state, run.attempts) == (RunState.PLANNED, 0)
    assert sky.live_run(campaign_id, RunKind.FULL) is not None


def test_canceling_ends_training_within_ten_seconds(sky: Observatory) -> None:
    _, run_id = start_full_run(sky, model=ENDLESS_MODEL)
    worker = threading.Thread(target=sky.carry_out, args=(run_id,))
    worker.start()
    assert wait_until(
        lambda: sky.run(run_id).state is RunState.RUNNING, seconds=PATIENCE_SECONDS
    )

    with sky.sessions.begin() as session:
        claiming.cancel(session, run_id)
    worker.join(STOP_SECONDS)

    assert not worker.is_alive()
    assert sky.run(run_id).state is RunState.CANCELED


def test_a_run_past_its_deadline_fails_and_says_so(sky: Observatory) -> None:
    _, run_id = start_full_run(sky, model=ENDLESS_MODEL)

    run = sky.with_settings(run_deadline_seconds=0.2).carry_out(run_id)

    assert run.state is RunState.FAILED
    assert run.message is not None
    assert "0.2 s" in run.message


def test_a_run_that_cannot_read_its_pool_fails_with_the_reason(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    manifest = sky.artifacts / "pools" / "sky" / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")

    run = sky.carry_out(run_id)

    assert run.state is RunState.FAILED
    assert run.message is not None
    assert "manifest.json: expected the digest" in run.message
    assert sky.live_run(campaign_id, RunKind.FULL) is None


def test_a_run_that_is_taken_up_again_does_not_train_twice(sky: Observatory) -> None:
    _, run_id = start_full_run(sky)
    trained = Artifacts(sky.artifacts).run(run_id) / "network.json"

    def died_after_training() -> bool:
        return trained.exists()

    put_back = sky.carry_out(run_id, shutting_down=died_after_training)
    assert put_back.state is RunState.PLANNED
    checkpoint = trained.stat().st_mtime_ns
    # With a model that never ends, training again would never publish.
    with sky.sessions.begin() as session:
        session.execute(
            text("UPDATE campaign SET model = jsonb_set(model, '{min_steps}', :steps)"),
            {"steps": str(ENDLESS_MODEL["min_steps"])},
        )

    run = sky.carry_out(run_id)

    assert run.state is RunState.PUBLISHED
    assert trained.stat().st_mtime_ns == checkpoint


def test_a_network_that_another_run_has_left_behind_is_not_adopted(
    sky: Observatory,
) -> None:
    """A new database on old files counts its runs from one again."""
    campaign_id, run_id = start_full_run(sky)
    first = sky.carry_out(run_id)
    sky.observe(campaign_id, 10)
    second_id = sky.plan(campaign_id, RunKind.FULL)
    artifacts = Artifacts(sky.artifacts)
    shutil.copytree(artifacts.run(run_id), artifacts.run(second_id))

    second = sky.carry_out(second_id)

    assert first.metrics is not None
    assert second.metrics is not None
    assert second.metrics["network"] != first.metrics["network"]


def lose_the_database(sky: Observatory) -> None:
    with sky.sessions.begin() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def lose_the_disk(_sky: Observatory) -> None:
    raise OSError("Stale file handle")


@pytest.mark.parametrize("lose", [lose_the_database, lose_the_disk])
def test_trouble_that_passes_costs_an_attempt_and_not_the_run(
    sky: Observatory, lose: Callable[[Observatory], None]
) -> None:
    campaign_id, run_id = start_full_run(sky)

    def carry_out_in_trouble() -> Run:
        lost = False

        def look() -> bool:
            nonlocal lost
            if not lost:
                lost = True
                lose(sky)
            return False

        return sky.carry_out(run_id, shutting_down=look)

    run = carry_out_in_trouble()

    assert (run.state, run.attempts) == (RunState.PLANNED, 1)
    carry_out_in_trouble()
    run = carry_out_in_trouble()
    assert sky.settings.max_attempts == run.attempts
    assert run.state is RunState.FAILED
    assert run.message is not None
    assert "Error" in run.message
    assert sky.publish(campaign_id, RunKind.FULL).attempts == 1


def test_a_run_that_was_interrupted_is_finished_by_the_next_attempt(
    sky: Observatory,
) -> None:
    _, run_id = start_full_run(sky)
    lost = False

    def look() -> bool:
        nonlocal lost
        if not lost:
            lost = True
            lose_the_database(sky)
        return False

    sky.carry_out(run_id, shutting_down=look)
    run = sky.carry_out(run_id)

    assert (run.state, run.attempts) == (RunState.PUBLISHED, 2)


def test_nothing_is_in_a_transaction_while_a_network_trains(sky: Observatory) -> None:
    _, run_id = start_full_run(sky, model=ENDLESS_MODEL)
    open_ones: list[int] = []

    def look() -> bool:
        with sky.sessions.begin() as session:
            found = session.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                    " AND state LIKE 'idle in transaction%'"
                )
            )
        open_ones.append(found or 0)
        return len(open_ones) > 20

    # Without heartbeats, whose own short transactions would be seen.
    sky.with_settings(heartbeat_seconds=60.0).carry_out(run_id, shutting_down=look)

    assert open_ones.count(0) == len(open_ones)

import os
import signal
from pathlib import Path

from sqlalchemy import select, text

from al_service.local.processes import wait_until
from al_service.rounds.doorbell import Doorbell
from al_service.rounds.ownership import OWNER
from db.tables import WorkerSeen
from db.vocabulary import RunKind
from tests.conftest import Database
from tests.workers.conftest import Broker, Start, ready

NOBODY = 10**9
"""The id of a run that does not exist: a worker that hears it answers at once."""


def test_a_worker_shows_itself_with_its_queue_while_it_is_idle(
    start: Start, database: Database
) -> None:
    with ready(start("train", AL_WORKER_SEEN_SECONDS="0.6")) as worker:

        def seen() -> WorkerSeen | None:
            with database.sessions() as session:
                return session.scalar(select(WorkerSeen))

        assert wait_until(lambda: seen() is not None, seconds=20)
        first = seen()
        assert first is not None
        assert first.queue == "train"
        assert first.name.endswith(f":{worker.process.pid}")

        def seen_again() -> bool:
            last = seen()
            return last is not None and last.seen_at > first.seen_at

        assert wait_until(seen_again, seconds=20)


def test_an_idle_worker_ends_on_sigterm(start: Start) -> None:
    with ready(start("score")) as worker:
        assert worker.stop() == 0


def test_a_worker_outlives_a_flushed_and_a_killed_broker(
    start: Start, broker: Broker
) -> None:
    with ready(start("train")) as worker:
        for hurt in (broker_flushed, broker_killed):
            hurt(broker)
            bell = Doorbell(broker.url)
            bell.run(NOBODY, RunKind.FULL)
            assert wait_until(broker.drained, seconds=60), worker.log.read_text()
            bell.close()
        assert worker.process.poll() is None
        assert worker.stop() == 0


def test_a_worker_hears_on_after_its_broker_died_while_it_worked(
    start: Start, broker: Broker, database: Database
) -> None:
    """The acknowledgment failed, and the worker never took another message."""
    with ready(start("train")) as worker:
        bell = Doorbell(broker.url)
        with database.sessions.begin() as session:
            session.execute(text("LOCK TABLE run"))
            bell.run(NOBODY, RunKind.FULL)
            assert wait_until(lambda: waits_for_a_lock(database), seconds=60)
            broker.kill()
        assert wait_until(lambda: worker.said("Connection to broker lost"), seconds=60)
        broker.start()
        bell.close()
        bell = Doorbell(broker.url)
        bell.run(NOBODY, RunKind.FULL)
        bell.close()
        assert wait_until(broker.drained, seconds=60), worker.log.read_text()
        assert worker.stop() == 0


def waits_for_a_lock(database: Database) -> bool:
    with database.sessions() as session:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(session.scalar(waiting))


def broker_flushed(broker: Broker) -> None:
    with broker.client() as client:
        client.flushall()


def broker_killed(broker: Broker) -> None:
    broker.kill()
    broker.start()


def test_a_worker_that_starts_before_its_broker_waits_for_it(
    start: Start, broker: Broker
) -> None:
    broker.kill()
    worker = start("train")
    assert wait_until(
        lambda: worker.said("Cannot connect") or worker.process.poll() is not None,
        seconds=60,
    )
    broker.start()
    with ready(worker):
        pass


def test_a_worker_ends_on_sigterm_while_its_broker_is_away(
    start: Start, broker: Broker
) -> None:
    with ready(start("train")) as worker:
        broker.kill()
        assert wait_until(lambda: worker.said("Cannot connect"), seconds=30)
        assert worker.stop() == 0


def test_a_worker_takes_one_message_at_a_time(start: Start, broker: Broker) -> None:
    with ready(start("train")) as busy:
        os.kill(busy.process.pid, signal.SIGSTOP)
        bell = Doorbell(broker.url)
        for _ in range(5):
            bell.run(NOBODY, RunKind.FULL)
        bell.close()
        with broker.client() as client:
            assert client.llen("train") >= 4  # free for every other worker
        os.kill(busy.process.pid, signal.SIGCONT)
        assert wait_until(broker.drained, seconds=60)


def test_a_worker_refuses_the_artifacts_of_another_database(
    start: Start, tmp_path: Path
) -> None:
    """It would tidy up checkpoints that the other database serves."""
    folder = tmp_path / "artifacts"
    folder.mkdir()
    (folder / OWNER).write_text("4711-1")
    worker = start("train", AL_ARTIFACTS=str(folder))
    assert worker.process.wait(timeout=60) == 1
    assert worker.said("belong to database 4711-1")
    assert worker.said("AL_ARTIFACTS")

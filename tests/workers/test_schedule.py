from pathlib import Path

from celery import Celery

from al_service.local.processes import wait_until
from tests.workers.conftest import Broker, Start


def test_it_rings_for_a_sweep_again_and_again_and_the_messages_expire(
    start: Start, broker: Broker
) -> None:
    start("schedule", AL_SWEEP_SECONDS="0.2")
    with broker.client() as client:
        assert wait_until(lambda: client.llen("score") >= 3, seconds=60)
    app = Celery("test", broker=broker.url, set_as_current=False)
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("score").get(timeout=5)
        assert message.headers["task"] == "workers.tasks.sweep"
        assert message.headers["expires"] is not None
        message.ack()
    app.close()


def test_it_outlives_its_broker(start: Start, broker: Broker) -> None:
    schedule = start("schedule", AL_SWEEP_SECONDS="0.2")
    with broker.client() as client:
        assert wait_until(lambda: client.llen("score") > 0, seconds=60)
    broker.kill()
    assert wait_until(lambda: schedule.said("cannot be reached"), seconds=30)
    broker.start()
    with broker.client() as client:
        assert wait_until(lambda: client.llen("score") > 0, seconds=30)
    assert schedule.stop() == 0


def test_its_pulse_shows_that_it_lives(start: Start, tmp_path: Path) -> None:
    pulse = tmp_path / "home" / "schedule.pulse"
    schedule = start("schedule", AL_SWEEP_SECONDS="0.2")
    assert wait_until(pulse.exists, seconds=60)
    before = pulse.stat().st_mtime_ns
    assert wait_until(lambda: pulse.stat().st_mtime_ns > before, seconds=10)
    assert schedule.stop() == 0

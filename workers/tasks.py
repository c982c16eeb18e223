"""The tasks: an id comes in, one function of the rounds is called, nothing goes out.

Running a task twice equals running it once. Deadlines, attempts and cancellation are
read from the run's row; a message is a doorbell that may be lost.
"""

from al_service.rounds import retraining, scanning, sweeping
from workers import lifecycle
from workers.celery_app import app


@app.task(name="workers.tasks.plan")  # type: ignore[untyped-decorator] # Celery ships no types
def plan(campaign_id: int) -> None:
    """Labels have come: plan the campaign's runs that are due."""
    sweeping.plan_due(
        [campaign_id], sessions=lifecycle.sessions(), doorbell=lifecycle.doorbell()
    )


@app.task(name="workers.tasks.train")  # type: ignore[untyped-decorator] # Celery ships no types
def train(run_id: int) -> None:
    """Fit one planned run; a second delivery finds it claimed and returns."""
    _carry_out(run_id)


@app.task(name="workers.tasks.score")  # type: ignore[untyped-decorator] # Celery ships no types
def score(run_id: int) -> None:
    """Refit and rank; a second delivery finds the run claimed and returns."""
    _carry_out(run_id)


@app.task(name="workers.tasks.scan")  # type: ignore[untyped-decorator] # Celery ships no types
def scan(pool_id: int) -> None:
    """Scan a pool's spectra; a second delivery finds it claimed and returns."""
    scanning.ensure_scanned(
        pool_id,
        sessions=lifecycle.sessions(),
        artifacts=lifecycle.artifacts(),
        worker=lifecycle.worker_name(),
        settings=lifecycle.settings(),
        shutting_down=lifecycle.stopping,
    )


def _carry_out(run_id: int) -> None:
    retraining.carry_out(
        run_id,
        sessions=lifecycle.sessions(),
        artifacts=lifecycle.artifacts(),
        worker=lifecycle.worker_name(),
        settings=lifecycle.settings(),
        shutting_down=lifecycle.stopping,
    )

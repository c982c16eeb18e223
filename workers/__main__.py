"""`python -m workers train|score|schedule`: what `al worker` turns into."""

import logging
import os
import sys

from sqlalchemy.exc import SQLAlchemyError

from al_service.rounds.doorbell import SCORE_QUEUE, TRAIN_QUEUE
from al_service.rounds.ownership import ForeignArtifacts
from al_service.rounds.readiness import SCHEDULE
from al_service.settings import Settings
from workers import lifecycle, schedule
from workers.celery_app import app

ROLES = (TRAIN_QUEUE, SCORE_QUEUE, SCHEDULE)


def main(arguments: list[str]) -> None:
    """Work off one queue, or keep the schedule, until SIGTERM."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        sys.exit(f"expected one of {', '.join(ROLES)}, got {arguments}")
    role, level = arguments[0], Settings().log_level
    if role == SCHEDULE:
        logging.basicConfig(
            level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        schedule.main()
        return
    _check_artifacts()
    try:
        _work(role, level)
    except SystemExit as end:
        # Unloading torch and its like takes seconds on a busy machine, out of the few
        # that a shutdown has; files are written whole or not at all.
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)


def _check_artifacts() -> None:
    """End at once where the artifacts are another database's."""
    try:
        lifecycle.artifacts()
    except ForeignArtifacts as error:
        sys.exit(f"al: {error}")
    except SQLAlchemyError:
        return  # the database is away: asked again before the first run


def _work(role: str, level: str) -> None:
    # One task at a time in one process: no fork that a GPU or a thread pool would not
    # survive. More workers are more processes.
    app.worker_main(
        [
            "worker",
            *("--queues", role, "--hostname", f"{role}@%h", "--pool", "solo"),
            *("--concurrency", "1"),  # it counts for what is fetched ahead
            *("--loglevel", level),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
    )
    sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])

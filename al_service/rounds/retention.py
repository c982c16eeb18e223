"""Files that no run will read again are deleted, so that a campaign fills no disk.

What is on disk decides, not what happened lately: files of a network that served for
weeks, of a run that failed or of a worker that died go like all others.
"""

import logging
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds.artifacts import Artifacts, remove_folder
from al_service.rounds.networks import finished_network
from al_service.survey.unfinished import clear_abandoned
from db.repositories.retention import find_needed

GRACE: Final = timedelta(hours=1)
"""Nobody reads a run's files for longer than this after another one has replaced it,
and nobody writes files for longer before a run names them."""

logger = logging.getLogger(__name__)


def forget(
    *, sessions: sessionmaker[Session], artifacts: Artifacts, grace: timedelta = GRACE
) -> None:
    """Delete features, checkpoints and run folders that nobody needs any more.

    Also what killed workers had begun to write.

    Args:
        sessions: makes one short transaction.
        artifacts: where files are.
        grace: younger ones are kept, and those of runs that ended since.
    """
    # Listed before the runs are read: what is written in between is not in the list.
    caches = _older(artifacts.caches(), grace)
    checkpoints = _older(artifacts.saved_checkpoints(), grace)
    runs = _older(artifacts.runs(), grace)
    with sessions.begin() as session:
        needed = find_needed(session, ended_within=grace)
    trained = {finished_network(artifacts, run_id) for run_id in needed.live_ids}
    networks = needed.networks | trained
    run_ids = {str(run_id) for run_id in needed.run_ids}
    unneeded = [
        *(one for one in caches if one.name.partition("-")[0] not in networks),
        *(one for one in checkpoints if one.name not in needed.checkpoints | networks),
        *(one for one in runs if one.name not in run_ids),
    ]
    for folder in unneeded:
        remove_folder(folder)
        logger.info("%s is not needed any more", folder)
    clear_abandoned(artifacts.unfinished())


def _older(folders: list[Path], grace: timedelta) -> list[Path]:
    """Those that nobody has written or begun to read for so long."""
    since = time.time() - grace.total_seconds()
    old = []
    for one in folders:
        # Two workers tidy up at once: what the other one has deleted is gone.
        with suppress(FileNotFoundError):
            if one.stat().st_mtime <= since:
                old.append(one)
    return old

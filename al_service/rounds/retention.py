"""Files that no run will read again are deleted, so that a campaign fills no disk."""

import logging
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session, sessionmaker

from al_service.rounds.artifacts import Artifacts, remove_folder
from db.repositories.retention import find_forgettable

GRACE: Final = timedelta(hours=1)
"""Nobody reads a run's files for longer than this after another one has replaced it."""

logger = logging.getLogger(__name__)


def forget(
    *, sessions: sessionmaker[Session], artifacts: Artifacts, grace: timedelta = GRACE
) -> None:
    """Delete features of replaced networks and checkpoints of replaced head runs.

    Args:
        sessions: makes one short transaction.
        artifacts: where files are.
        grace: younger ones are kept.
    """
    with sessions.begin() as session:
        old = find_forgettable(session, older_than=grace)
    caches = [
        folder
        for folder in artifacts.caches()
        if folder.name.partition("-")[0] in old.networks
    ]
    checkpoints = [artifacts.checkpoints / digest for digest in old.checkpoints]
    runs = [artifacts.run(run_id) for run_id in old.run_ids]
    for folder in (*caches, *checkpoints, *runs):
        if folder.is_dir():
            remove_folder(folder)
            logger.info("%s is not needed any more", folder)

"""Scanning a pool: spectra are computed with no transaction open, published once.

Running it twice equals running it once: whoever does not hold the newest claim
publishes nothing, and what is on disk is not computed again.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from al_service.errors import RunStopped
from al_service.features.pool_scan import PoolScan, scan_pool
from al_service.rounds import scan_claims
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.heart import Heart
from al_service.rounds.scan_claims import ScanClaim
from al_service.settings import Settings
from al_service.survey.pool_arrays import PoolArrays
from db.repositories import locks, scans
from db.tables import Pool
from db.tables import PoolScan as StoredScan

Progress = Callable[[int, int], None]
"""Told the number of spectra that are done, and of all."""

logger = logging.getLogger(__name__)


def ensure_scanned(
    pool_id: int,
    *,
    sessions: sessionmaker[Session],
    artifacts: Path,
    worker: str,
    settings: Settings,
    processes: int = 1,
    on_progress: Progress = lambda _done, _total: None,
    shutting_down: Callable[[], bool] = lambda: False,
    again: bool = False,
) -> bool:
    """Let the database know what the scan says of a pool's spectra.

    Args:
        pool_id: which pool.
        sessions: makes short transactions.
        artifacts: folder of arrays and checkpoints.
        worker: the name with which the claim is signed.
        settings: heartbeat, attempts.
        processes: how many scan; a worker leaves the other cores to others.
        on_progress: told how far it is.
        shutting_down: whether this process was told to end; the scan is then put back.
        again: also where the scan has failed before.

    Returns:
        Whether this call has published the scan; False where it is done, or somebody
        else works on it, or it has failed: a normal answer.
    """
    with sessions.begin() as session:
        claim = scan_claims.claim(
            session,
            pool_id,
            worker=worker,
            settings=settings,
            again=again,
        )
        pool = session.get(Pool, pool_id)
    if claim is None or pool is None:
        logger.info("pool %d needs no scan, or somebody else does it", pool_id)
        return False
    heart = Heart(
        claim.beat,
        of=f"scan of pool {pool.name}",
        sessions=sessions,
        every_seconds=settings.heartbeat_seconds,
        shutting_down=shutting_down,
    )

    def work() -> PoolScan:
        place = Artifacts(artifacts)
        return scan_pool(
            PoolArrays.open(place.pool(pool.arrays), digest=pool.manifest_digest),
            place.scans,
            processes=processes,
            on_progress=_both(heart, on_progress),
            should_stop=heart.should_stop,
        )

    with heart:
        return _carry_out(claim, work, sessions, settings)


def scan_state(session: Session, pool_id: int) -> StoredScan | None:
    """How far the scan of a pool is; None where there is nothing to scan, or yet."""
    return scans.find(session, pool_id)


def _both(heart: Heart, on_progress: Progress) -> Progress:
    def tell(done: int, total: int) -> None:
        heart.progress(done / max(total, 1))
        on_progress(done, total)

    return tell


def _carry_out(
    claim: ScanClaim,
    work: Callable[[], PoolScan],
    sessions: sessionmaker[Session],
    settings: Settings,
) -> bool:
    """Do the work and publish it; whatever happens stands in the scan's row."""
    try:
        return _publish(claim, work(), sessions)
    except (RunStopped, KeyboardInterrupt) as error:
        with sessions.begin() as session:
            scans.put_back(session, claim.pool_id, claim.fence)
        if isinstance(error, KeyboardInterrupt):
            raise
        logger.info("pool %d: %s", claim.pool_id, error)
    except Exception as error:
        # Whatever went wrong belongs into the scan's row, where people look.
        logger.exception("the scan of pool %d failed", claim.pool_id)
        with sessions.begin() as session:
            scans.try_again(
                session,
                claim.pool_id,
                claim.fence,
                message=f"{type(error).__name__}: {error}",
                max_attempts=settings.max_attempts,
            )
    return False


def _publish(
    claim: ScanClaim, found: PoolScan, sessions: sessionmaker[Session]
) -> bool:
    with sessions() as session:
        locks.hold_scan(session, claim.pool_id)
        ids = scans.ids_by_row(session, claim.pool_id)
        count = scans.replace_redshifts(session, claim.pool_id, _rows(found, ids))
        if not scans.finish(session, claim.pool_id, claim.fence):
            session.rollback()
            return False
        session.commit()
    logger.info("pool %d: %d redshifts from spectra", claim.pool_id, count)
    return True


def _rows(
    found: PoolScan, ids: dict[int, int]
) -> Iterator[tuple[int, float, float, float, float, str]]:
    for row in np.flatnonzero(np.isfinite(found.z)).tolist():
        yield (
            ids[row],
            float(found.z[row]),
            float(found.z_error[row]),
            float(found.confidence[row]),
            float(found.gain[row]),
            str(found.spectral_class[row]),
        )

"""Who scans which pool: the record stands in the database, a message only rings."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from al_service.features.scan.scanning import SCAN_VERSION
from al_service.rounds.claiming import RING_AFTER, BeatAnswer
from al_service.settings import Settings
from db.repositories import scans


@dataclass(frozen=True)
class ScanClaim:
    """The right to scan a pool, until somebody claims it again."""

    pool_id: int
    fence: int

    def beat(self, session: Session, progress: float) -> BeatAnswer:
        """Show that we live, and hear whether to go on.

        Args:
            session: the caller commits.
            progress: the finished share; it never goes back.
        """
        held = scans.beat(session, self.pool_id, self.fence, progress)
        return BeatAnswer.KEEP if held else BeatAnswer.LOST


def claim(
    session: Session,
    pool_id: int,
    *,
    worker: str,
    settings: Settings,
    again: bool = False,
) -> ScanClaim | None:
    """Take up the scan of a pool that has spectra, if it is not done.

    Args:
        session: the caller commits at once.
        pool_id: which pool.
        worker: who we are.
        settings: when a worker counts as lost, how often a scan is taken up.
        again: also one that has failed: somebody asks for it.

    Returns:
        None where there is nothing to do, or somebody does it: a normal answer.
    """
    scans.plan_missing(session, SCAN_VERSION, pool_id)
    if again:
        scans.plan_again(session, pool_id)
    fence = scans.claim(
        session,
        pool_id,
        version=SCAN_VERSION,
        worker=worker,
        stale_after=settings.stale_after,
        max_attempts=settings.max_attempts,
    )
    return None if fence is None else ScanClaim(pool_id, fence)


def due(
    session: Session, settings: Settings, ring_after: timedelta = RING_AFTER
) -> list[int]:
    """Pools with spectra that wait for a worker: new ones, and lost ones.

    Args:
        session: the caller commits, then rings.
        settings: when a worker counts as lost, how often a scan is taken up.
        ring_after: time since it was last rung for.

    Returns:
        Every such pool to one caller only.
    """
    scans.plan_missing(session, SCAN_VERSION)
    scans.end_abandoned(
        session, stale_after=settings.stale_after, max_attempts=settings.max_attempts
    )
    return scans.take_unheard(
        session, stale_after=settings.stale_after, ring_after=ring_after
    )

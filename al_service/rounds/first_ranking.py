"""The ranking without labels: planned again if it failed."""

from typing import Final

from sqlalchemy.orm import Session

from db.repositories import campaigns, runs
from db.tables import Campaign
from db.vocabulary import RunKind

COLD_STARTS: Final = 3
"""How often the ranking without labels is planned at most: what fails so often is to
be mended by a person."""

COLD_START_PAUSE_SECONDS: Final = 60.0
"""Before it is planned again: a full disk or a broken file does not heal in seconds."""


def is_due(session: Session, campaign: Campaign) -> bool:
    """Whether the ranking without labels was tried, failed, and may be tried again.

    What a person has canceled stays canceled.
    A campaign without any ranking hands out random objects only, for as long as its
    first labels take.
    """
    if campaigns.served_run_id(session, campaign.id) is not None:
        return False
    tried = runs.unpublished(session, campaign.id, RunKind.SCORE)
    return (
        0 < tried.failed < COLD_STARTS
        and not tried.canceled
        and tried.live == 0
        and tried.seconds_since > COLD_START_PAUSE_SECONDS
    )

"""Runs that keep failing: what they died of, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from db.repositories import runs
from db.tables import Run
from db.vocabulary import RunKind


@dataclass(frozen=True)
class Failure:
    """The last run of its kind, which failed."""

    run_id: int
    campaign: str
    kind: RunKind
    attempts: int
    message: str
    """What it died of."""
    finished_at: datetime | None

    def __str__(self) -> str:
        times = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{self.kind} run {self.run_id} failed{times}: {self.message}"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return (
            "the log of its worker says more; mend the cause, then"
            f" POST /api/v1/campaigns/{self.campaign}/runs"
            f' {{"kind": "{self.kind}"}}'
        )


def last_failures(session: Session, campaign_id: int | None = None) -> list[Failure]:
    """The failures that no later run of the kind has made up for.

    Args:
        session: reads in its transaction.
        campaign_id: of one campaign; None stands for all that go on.
    """
    return [
        _failure(name, run) for name, run in runs.last_failures(session, campaign_id)
    ]


def _failure(campaign: str, run: Run) -> Failure:
    return Failure(
        run_id=run.id,
        campaign=campaign,
        kind=run.kind,
        attempts=run.attempts,
        message=run.message or "it does not say why",
        finished_at=run.finished_at,
    )

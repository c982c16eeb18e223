"""Where every campaign stands, in numbers: what an operator's dashboard shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.repositories import monitoring


@dataclass(frozen=True)
class LoopState:
    """One campaign in numbers."""

    campaign: str
    candidates: Mapping[str, int]
    runs: Mapping[str, int]
    leases: Mapping[str, int]
    """State to how many there are."""
    labels: int
    last_run_age_seconds: float | None
    """Since a run was last published; None before the first."""


@dataclass(frozen=True)
class Snapshot:
    """Every campaign and every kind of worker at one moment."""

    campaigns: tuple[LoopState, ...]
    worker_ages: Mapping[str, float]
    """Queue to seconds since one of its workers showed itself."""


def take_snapshot(session: Session) -> Snapshot:
    """Count everything once."""
    candidates = monitoring.count_candidates(session)
    runs = monitoring.count_runs(session)
    leases = monitoring.count_leases(session)
    labels = monitoring.count_labels(session)
    ages = monitoring.publication_ages(session)
    return Snapshot(
        campaigns=tuple(
            LoopState(
                campaign=name,
                candidates=candidates.get(campaign, {}),
                runs=runs.get(campaign, {}),
                leases=leases.get(campaign, {}),
                labels=labels.get(campaign, 0),
                last_run_age_seconds=ages.get(campaign),
            )
            for campaign, name in monitoring.campaign_names(session).items()
        ),
        worker_ages=monitoring.worker_ages(session),
    )

"""Runs: what the workers do in the background."""

from datetime import datetime
from typing import Any

from al_service.api.schemas.fields import Input, Output
from db.vocabulary import RunKind, RunState


class NewRun(Input):
    """Work to start now instead of when it is due."""

    kind: RunKind = RunKind.FULL


class Run(Output):
    """One background job and what became of it."""

    id: int
    campaign: str
    kind: RunKind
    state: RunState
    n_labels: int
    """Labeled objects frozen into it when it was planned."""
    progress: float
    """Share of the work that is done, 0 to 1."""
    eta_seconds: float | None
    """Time to go at the pace so far; null while nobody can tell."""
    stale: bool
    """Running, but its worker has fallen silent: somebody else will take it up."""
    attempts: int
    """How often a worker took it up."""
    message: str | None
    """Why it failed or was refused."""
    label_digest: str
    """Digest of the labels that the network saw."""
    head_digest: str | None
    """Digest of the labels that the last layer knows."""
    config_digest: str
    checkpoint_digest: str | None
    base_run_id: int | None
    worker: str | None
    metrics: dict[str, Any] | None  # whatever the run measured
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

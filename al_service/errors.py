"""Every refusal of the service, with the facts that a person needs to go on."""

from collections.abc import Sequence
from dataclasses import dataclass


class ALServiceError(Exception):
    """Base of every error that is somebody's to answer, not a bug."""


class InvalidInput(ALServiceError):
    """A value that cannot be what it claims to be."""


LONGEST_NAME = 200
"""Characters of a name that are shown: those of the longest identifier."""


class NotFound(ALServiceError):
    """Something was named that does not exist."""

    def __init__(self, noun: str, name: object) -> None:
        shown = name
        if isinstance(name, str) and len(name) > LONGEST_NAME:
            shown = f"{name[:LONGEST_NAME]}…"
        super().__init__(f"no {noun} named {shown!r}")
        self.noun = noun
        self.name = shown


class Conflict(ALServiceError):
    """The request contradicts the state of things; nothing was changed."""


class NotAllowed(ALServiceError):
    """The token does not grant this."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one item of a submission."""

    where: str
    """The place: `labels[3].values.z`, a file and row, a column."""
    message: str
    """What was expected and what came."""


class InvalidLabels(InvalidInput):
    """One or more labels of a submission cannot be stored; none was."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        listed = "; ".join(
            f"{problem.where}: {problem.message}" for problem in problems
        )
        super().__init__(f"{len(problems)} problem(s), nothing was stored: {listed}")
        self.problems = tuple(problems)


class LeaseClosed(Conflict):
    """A batch that is no longer open cannot be renewed or given back."""

    def __init__(self, lease_id: int, state: str) -> None:
        super().__init__(f"batch {lease_id} is {state}: it cannot be changed any more")


class CampaignNotActive(Conflict):
    """A paused or finished campaign hands out nothing."""

    def __init__(self, campaign: str, state: str) -> None:
        super().__init__(f"campaign {campaign!r} is {state}: it hands out no batches")


class BudgetSpent(Conflict):
    """Every label that the campaign may ask for has been asked for."""

    def __init__(self, campaign: str, budget: int) -> None:
        super().__init__(
            f"campaign {campaign!r} has spent its budget of {budget} labels"
        )


class RunInProgress(Conflict):
    """One live run per campaign and kind."""

    def __init__(self, campaign: str, kind: str, run_id: int) -> None:
        super().__init__(
            f"campaign {campaign!r} already has a live {kind} run: {run_id}"
        )
        self.run_id = run_id


class TooFewLabels(Conflict):
    """A network cannot be trained on next to nothing."""

    def __init__(self, campaign: str, needed: int, there: int) -> None:
        super().__init__(
            f"campaign {campaign!r} needs {needed} labels that train: it has {there}"
        )


class IdempotencyConflict(Conflict):
    """One `Idempotency-Key` may stand for one request only."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Idempotency-Key {key!r} was used before with another body: use a new key"
        )


class RunStopped(ALServiceError):
    """Work ended early on request: canceled, past its deadline, shut down."""


class Interrupted(ALServiceError):
    """A command ended on request."""


class CorruptArtifact(ALServiceError):
    """A stored file is not what its digest says."""

    def __init__(self, path: object, expected: str, found: str) -> None:
        super().__init__(f"{path}: expected the digest {expected}, found {found}")


class OutdatedCheckpoint(ALServiceError):
    """An older version wrote a network that this one cannot read."""

    def __init__(self, path: object, expected: int, found: object) -> None:
        super().__init__(
            f"{path}: expected a checkpoint of format {expected}, found {found}:"
            " the network has to be trained anew"
        )


class StackProblem(ALServiceError):
    """The laptop stack cannot be started, found or stopped."""


class UnreadableFile(InvalidInput):
    """A file is not what it has to be; nothing was taken from it."""

    def __init__(self, path: object, message: str) -> None:
        super().__init__(f"{path}: {message}")


class BadRows(InvalidInput):
    """Rows or files that cannot become objects; nothing was imported."""

    def __init__(self, count: int, first: Sequence[Problem], listed: object) -> None:
        shown = "".join(f"\n  {one.where}: {one.message}" for one in first)
        more = f"\n  … and {count - len(first)} more" if count > len(first) else ""
        super().__init__(
            f"{count} problem(s), nothing was imported; all are listed in {listed}"
            f" (--skip-bad imports the rest):{shown}{more}"
        )
        self.count = count
        self.problems = tuple(first)

"""What a client learns when a request did not do what it should."""

from collections.abc import Mapping
from typing import Any

from al_service.errors import ALServiceError, Problem

TYPE_PREFIX = "urn:al-service:problem:"


class RequestRefused(ALServiceError):
    """The service answered with a problem document (RFC 9457).

    Attributes:
        status: HTTP status.
        problem: the document, for programs.
        problems: every bad field of the request.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = dict(problem)
        self.problems = tuple(
            Problem(str(each.get("where", "")), str(each.get("message", "")))
            for each in problem.get("errors", ())
        )
        said = str(problem.get("detail") or problem.get("title", ""))
        lines = [f"{status} {said}"]
        lines += [
            f"  {each.where}: {each.message}"
            for each in self.problems
            if each.message not in said  # no problem is listed twice
        ]
        super().__init__("\n".join(lines))

    @property
    def kind(self) -> str:
        """The problem's name, such as `lease-closed`; empty for plain HTTP errors."""
        return str(self.problem.get("type", "")).rpartition(TYPE_PREFIX)[2]


class ServiceUnreachable(ALServiceError):
    """No answer came, although the request was sent again and again."""

    def __init__(self, url: str, attempts: int, reason: str) -> None:
        super().__init__(f"no answer from {url} after {attempts} attempt(s): {reason}")
        self.url = url
        self.attempts = attempts


class RunUnfinished(ALServiceError):
    """A run took longer than the caller wanted to wait."""

    def __init__(self, run_id: int, state: str, seconds: float) -> None:
        super().__init__(f"run {run_id} is still {state} after {seconds:.0f} s")
        self.run_id = run_id

"""What every error is answered with: `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from al_service.errors import ALServiceError

MEDIA_TYPE: Final = "application/problem+json"

TYPE_PREFIX: Final = "urn:al-service:problem:"
"""A problem's type is this and the name of its error: programs compare it, and no
web server has to answer for it."""


class NotAuthenticated(ALServiceError):
    """No token came, or one that nobody holds."""


class NotServing(ALServiceError):
    """The service is up, and something that it needs is not."""


class RefusedWith(ALServiceError):
    """An error of ours with further members for its problem document."""

    def __init__(self, error: ALServiceError, **facts: object) -> None:
        super().__init__(str(error))
        self.error = error
        self.facts = facts


class FieldProblem(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(examples=["labels[3].values.z"])
    """Where in the body; `query.…`, `path.…` and `header.…` outside it."""
    message: str
    """What was expected and what came."""


class ProblemDocument(BaseModel):
    """An error, as RFC 9457 writes it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:al-service:problem:lease-closed"])
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[FieldProblem] | None = None


def problem_response(
    status: int,
    *,
    detail: str,
    kind: str | None = None,
    instance: str | None = None,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
    facts: Mapping[str, object] | None = None,
) -> JSONResponse:
    """One problem document with its status.

    Args:
        status: HTTP status.
        detail: what happened, for a person.
        kind: the error's name; without it the status says all there is to say.
        instance: the request's path, or the entry in the log.
        errors: everything that is wrong with the request.
        headers: further response headers.
        facts: further members, for a program.
    """
    content: dict[str, Any] = {  # JSON: any shape
        **(facts or {}),
        "type": f"{TYPE_PREFIX}{kind}" if kind else "about:blank",
        "title": kind.replace("-", " ").capitalize()
        if kind
        else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if instance is not None:
        content["instance"] = instance
    if errors:
        content["errors"] = [error.model_dump() for error in errors]
    return JSONResponse(content, status, dict(headers or {}), MEDIA_TYPE)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the errors that a route may answer with."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted(statuses)
    }

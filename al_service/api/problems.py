"""Every error as `application/problem+json` (RFC 9457), from one table."""

import json
import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from al_service.errors import (
    ALServiceError,
    Conflict,
    InvalidInput,
    InvalidLabels,
    NotAllowed,
    NotFound,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

TYPE_PREFIX: Final = "urn:al-service:problem:"
"""A problem's type is this and the name of its error: programs compare it, and no
web server has to answer for it."""

LONGEST_QUOTE: Final = 80
"""Characters of a bad value that are shown."""

RETRY_AFTER_SECONDS: Final = 2
"""A database that restarts is back in about this time."""


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


STATUS_OF: Final[Mapping[type[ALServiceError], HTTPStatus]] = {
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotServing: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""An error takes the status of its nearest listed ancestor; an unlisted one is ours."""


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


def install(app: FastAPI) -> None:
    """Let every error of this application leave as a problem document."""
    app.add_exception_handler(ALServiceError, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_invalid_request)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.add_exception_handler(OperationalError, answer_database_trouble)
    app.add_exception_handler(PoolTimeout, answer_database_trouble)
    app.add_exception_handler(DataError, answer_unstorable)


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


def answer_refusal(request: Request, error: Exception) -> JSONResponse:
    """An error of ours: its status from the table, its facts as members."""
    refusal = cast(ALServiceError, error)
    facts: Mapping[str, object] = {}
    if isinstance(refusal, RefusedWith):
        facts, refusal = refusal.facts, refusal.error
    status = next(
        (STATUS_OF[base] for base in type(refusal).__mro__ if base in STATUS_OF), None
    )
    if status is None:
        return answer_bug(request, refusal)
    problems = refusal.problems if isinstance(refusal, InvalidLabels) else ()
    headers = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem_response(
        status,
        # Each problem has its own line among the errors.
        detail=f"{len(problems)} problem(s), nothing was stored"
        if problems
        else str(refusal),
        kind=_kebab(type(refusal).__name__),
        instance=request.url.path,
        errors=[
            FieldProblem(where=problem.where, message=problem.message)
            for problem in problems
        ],
        headers=headers,
        facts={**_plain_facts(refusal), **facts},
    )


def answer_invalid_request(request: Request, error: Exception) -> JSONResponse:
    """422 with every bad field."""
    found = [
        FieldProblem(where=_where(each["loc"]), message=_message(each))
        for each in cast(RequestValidationError, error).errors()
    ]
    return problem_response(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        detail=f"{len(found)} problem(s) with the request; nothing was changed",
        kind="invalid-request",
        instance=request.url.path,
        errors=found,
    )


def answer_http_error(request: Request, error: Exception) -> JSONResponse:
    """Errors of the HTTP layer: unknown route, wrong method, body too large."""
    found = cast(HTTPException, error)
    return problem_response(
        found.status_code,
        detail=_http_detail(request, found),
        instance=request.url.path,
        headers=found.headers,
    )


def answer_database_trouble(request: Request, error: Exception) -> JSONResponse:
    """503: the database is away or overloaded; the same request may be sent again."""
    logger.error("database trouble on %s: %s", request.url.path, error)
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail="the database does not answer; nothing was changed, try again",
        kind="database-unavailable",
        instance=request.url.path,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def answer_unstorable(request: Request, error: Exception) -> JSONResponse:
    """422: a value passed every check of ours and PostgreSQL cannot hold it."""
    logger.warning("unstorable value on %s: %s", request.url.path, error)
    return problem_response(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        detail="the request holds a value that cannot be stored",
        kind="invalid-request",
        instance=request.url.path,
    )


def answer_bug(request: Request, error: Exception) -> JSONResponse:
    """500 without a word about the inside; the log has it under the same number."""
    instance = f"urn:uuid:{uuid.uuid4()}"
    logger.error(
        "%s %s failed (%s)", request.method, request.url.path, instance, exc_info=error
    )
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        detail=f"the service failed; its log says why under {instance}",
        instance=instance,
    )


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _plain_facts(error: ALServiceError) -> dict[str, object]:
    """The numbers and texts that an error carries, such as the id of a run."""
    return {
        name: value
        for name, value in vars(error).items()
        if isinstance(value, str | int | float) and not name.startswith("_")
    }


def _where(location: Sequence[int | str]) -> str:
    """`("body", "labels", 3, "values", "z")` → `labels[3].values.z`."""
    place = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in location
    ).removeprefix(".")
    return place.removeprefix("body.") if place != "body" else place


def _message(error: Mapping[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        return f"{message}: {error['ctx']['error']}"
    given = error.get("input")
    if given is None or isinstance(given, dict | list):
        return message
    return f"{message}, found {_as_json(given)}"


def _as_json(given: object) -> str:
    """A value as the client has written it: `true`, not `True`."""
    text = given if isinstance(given, str | int | float) else str(given)
    written = json.dumps(text, ensure_ascii=False)[:LONGEST_QUOTE]
    return written.encode(errors="backslashreplace").decode()  # lone surrogates


def _http_detail(request: Request, error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"no resource at {request.url.path}"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible at {request.url.path}"
    return str(error.detail)

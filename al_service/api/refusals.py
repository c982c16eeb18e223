"""Every error of a request becomes a problem document, from one table."""

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
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from al_service.api import database_trouble
from al_service.api.problems import (
    FieldProblem,
    NotAuthenticated,
    NotServing,
    RefusedWith,
    problem_response,
)
from al_service.errors import (
    ALServiceError,
    Conflict,
    InvalidInput,
    InvalidLabels,
    NotAllowed,
    NotFound,
)

logger = logging.getLogger(__name__)

STATUS_OF: Final[Mapping[type[ALServiceError], HTTPStatus]] = {
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotServing: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""An error takes the status of its nearest listed ancestor; an unlisted one is ours."""


LONGEST_QUOTE: Final = 80
"""Characters of a bad value that are shown."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
AS_GET: Final[Mapping[str, str]] = {"HEAD": "GET"}
"""Whatever can be got can be asked for its head (`heads`)."""


def install(app: FastAPI) -> None:
    """Let every error of this application leave as a problem document."""
    app.add_exception_handler(ALServiceError, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_invalid_request)
    app.add_exception_handler(HTTPException, answer_http_error)
    database_trouble.install(app)
    app.add_exception_handler(DataError, answer_unstorable)


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
    return _invalid(request, _unread_body(request, found) or found)


def answer_http_error(request: Request, error: Exception) -> JSONResponse:
    """Errors of the HTTP layer: unknown route, wrong method, body too large."""
    found = cast(HTTPException, error)
    if isinstance(found.__cause__, UnicodeDecodeError):
        return _invalid(request, [_not_utf8(found.__cause__)])
    headers = dict(found.headers or {})
    if found.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_of(request))
    return problem_response(
        found.status_code,
        detail=_http_detail(request, found),
        instance=request.url.path,
        headers=headers,
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


def _invalid(request: Request, found: Sequence[FieldProblem]) -> JSONResponse:
    return problem_response(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        detail=f"{len(found)} problem(s) with the request; nothing was changed",
        kind="invalid-request",
        instance=request.url.path,
        errors=found,
    )


def _unread_body(
    request: Request, found: Sequence[FieldProblem]
) -> list[FieldProblem] | None:
    """A body that nobody read, because its header does not say that it is JSON."""
    kind = request.headers.get("content-type")
    written_as = (kind or "").split(";")[0].strip().lower()
    if [one.where for one in found] != ["body"] or re.fullmatch(
        r"application/(json|.+\+json)", written_as
    ):
        return None
    came = "none" if kind is None else _as_json(kind)
    if request.headers.get("content-length") == "0":
        return None
    return [
        FieldProblem(
            where="header.Content-Type",
            message=f"expected application/json, found {came}",
        )
    ]


def _not_utf8(error: UnicodeDecodeError) -> FieldProblem:
    return FieldProblem(
        where="body",
        message=f"expected JSON in UTF-8, found the byte"
        f" 0x{error.object[error.start]:02x} after {error.start} bytes",
    )


def _methods_of(request: Request) -> list[str]:
    """What an address can be asked for; a route alone knows only its own methods."""
    routes = request.app.routes
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": AS_GET.get(method, method)})[0]
            is Match.FULL
            for route in routes
        )
    ]


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

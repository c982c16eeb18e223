"""What a client hears when the database fails, and what it may do then."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from al_service.api.problems import problem_response

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS: Final = 2
"""A database that restarts is back in about this time."""

CHANGE_NOTHING: Final = frozenset({"GET", "HEAD"})

AWAY: Final = "the database does not answer"
BUSY: Final = "the service is busy: no connection to its database was free in time"
REASON_OF: Final[Mapping[str, str]] = {
    "40P01": "another request changed the same rows at this moment",
    "40001": "another request changed the same rows at this moment",
    "55P03": "another request holds the same rows for too long",
    "57014": "the database took too long for this and gave it up",
    "53100": "the database's disk is full",
    "53200": "the database is out of memory",
    "53300": "the database has no connection left",
}
"""By SQLSTATE: what is no word about the database being away."""

NOTHING_CHANGED: Final = "nothing was changed, try again"
OUTCOME_UNKNOWN: Final = (
    "the connection to the database broke while this was being stored: whether it was"
    " is unknown. Sent again with the same Idempotency-Key it happens once; without"
    " one, look first"
)


def install(app: FastAPI) -> None:
    """Let trouble with the database leave as a problem document."""
    app.add_exception_handler(OperationalError, answer_database_trouble)
    app.add_exception_handler(PoolTimeout, answer_database_trouble)


def answer_database_trouble(request: Request, error: Exception) -> JSONResponse:
    """503: what is wrong, and what that means for the request."""
    logger.error("database trouble on %s: %s", request.url.path, error)
    unknown = request.method not in CHANGE_NOTHING and _lost_at_commit(error)
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail=OUTCOME_UNKNOWN if unknown else f"{_reason(error)}; {NOTHING_CHANGED}",
        kind="database-unavailable",
        instance=request.url.path,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _reason(error: Exception) -> str:
    if isinstance(error, PoolTimeout):
        return BUSY
    # Only what the server itself has said carries a state.
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return REASON_OF.get(state or "", AWAY)


def _lost_at_commit(error: Exception) -> bool:
    """Whether the connection broke when no statement was under way: at the commit.

    A statement that fails, for whatever reason, fails before the commit; so does a
    connection that was refused, or not free in time.
    """
    return (
        isinstance(error, OperationalError)
        and error.connection_invalidated
        and error.statement is None
    )

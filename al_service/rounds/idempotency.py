"""A request that is sent again with its key happens once."""

from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import IdempotencyConflict
from db.base import JsonObject
from db.repositories import locks, tokens
from db.tables import StoredAnswer

KEPT: Final = timedelta(days=7)
"""A client that was away for a week-end still gets its answer."""


def remembered(
    session: Session, token_id: int, path: str, key: str, body_digest: str
) -> StoredAnswer | None:
    """The answer to this very request, if it was sent before.

    Of two equal requests at once the second waits here until the first has committed
    or failed.

    Args:
        session: the transaction in which the request is carried out and remembered.
        token_id: who sends it.
        path: where to.
        key: its `Idempotency-Key`.
        body_digest: what it says.

    Raises:
        IdempotencyConflict: the key stands for another body.
    """
    locks.hold_answer(session, str(token_id), path, key)
    stored = tokens.find_answer(session, token_id, path, key)
    if stored is not None and stored.body_digest != body_digest:
        raise IdempotencyConflict(key)
    return stored


def remember(
    session: Session,
    token_id: int,
    path: str,
    key: str,
    body_digest: str,
    *,
    status: int,
    answer: JsonObject,
) -> None:
    """Keep the answer, in the transaction of what was done."""
    tokens.store_answer(
        session, (token_id, path, key), body_digest, status=status, answer=answer
    )


def forget_old(session: Session) -> int:
    """Forget answers that nobody will ask for again; answers how many."""
    return tokens.forget_answers(session, KEPT)

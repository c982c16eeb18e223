"""Answered requests: kept, so that one that is sent again happens once."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy.orm import Session

from db.repositories.driver import execute, fetch_one
from db.tables import StoredAnswer


@dataclass(frozen=True)
class AnswerPlace:
    """What tells one request with an `Idempotency-Key` from another."""

    token_id: int
    path: str
    key: str


# Waits for another transaction that has begun to answer: it commits, or it fails and
# the answer is ours to give.
_BEGIN = """
INSERT INTO stored_answer (token_id, path, key, body_digest, answer)
VALUES (%(token_id)s, %(path)s, %(key)s, %(body_digest)s, '')
ON CONFLICT DO NOTHING RETURNING token_id
"""

_STORE = """
UPDATE stored_answer SET answer = %(answer)s
WHERE token_id = %(token_id)s AND path = %(path)s AND key = %(key)s
"""


def begin(session: Session, place: AnswerPlace, body_digest: str) -> bool:
    """Take the place of an answer; False where it has one.

    Of two equal requests at once the second waits here until the first has committed
    or failed. Nobody else sees a place without its answer: it is taken and filled in
    one transaction.
    """
    facts = {**vars(place), "body_digest": body_digest}
    return fetch_one(session, _BEGIN, facts) is not None


def find(session: Session, place: AnswerPlace) -> StoredAnswer | None:
    """The answer to a request that was sent before; None where it was forgotten."""
    return session.get(StoredAnswer, (place.token_id, place.path, place.key))


def store(session: Session, place: AnswerPlace, answer: str) -> None:
    """Fill a place that this transaction has taken with an answer, as JSON."""
    execute(session, _STORE, {**vars(place), "answer": answer})


def forget(session: Session, older_than: timedelta) -> int:
    """Delete answers that nobody will ask for again (`ix_stored_answer_created_at`)."""
    forgotten = session.execute(
        delete(StoredAnswer)
        .where(StoredAnswer.created_at < func.now() - older_than)
        .returning(StoredAnswer.key)
        .execution_options(synchronize_session=False)
    )
    return len(forgotten.all())

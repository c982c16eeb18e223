"""A request that is sent again with its key happens once."""

from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import IdempotencyConflict
from db.repositories import answers
from db.repositories.answers import AnswerPlace
from db.tables import StoredAnswer

KEPT: Final = timedelta(days=7)
"""A client that was away for a week-end still gets its answer."""


def remembered(
    session: Session, place: AnswerPlace, body_digest: str
) -> StoredAnswer | None:
    """The answer to this very request, if it was sent before.

    Otherwise this transaction has taken its place, and fills it with `remember`. Of two
    equal requests at once the second waits here until the first has committed or
    failed.

    Args:
        session: the transaction in which the request is carried out and remembered.
        place: who sends it, where to, and its `Idempotency-Key`.
        body_digest: what it says.

    Raises:
        IdempotencyConflict: the key stands for another body.
    """
    while not answers.begin(session, place, body_digest):
        stored = answers.find(session, place)
        if stored is None:
            continue  # forgotten between the two statements: the place is free
        if stored.body_digest != body_digest:
            raise IdempotencyConflict(place.key)
        return stored
    return None


def remember(session: Session, place: AnswerPlace, answer: str) -> None:
    """Keep the answer, as JSON, in the transaction of what was done."""
    answers.store(session, place, answer)


def forget_old(session: Session) -> int:
    """Forget answers that nobody will ask for again; answers how many."""
    return answers.forget(session, KEPT)

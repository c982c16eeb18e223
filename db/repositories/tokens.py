"""Tokens, answered requests and workers that showed themselves."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.tables import ApiToken, StoredAnswer
from db.vocabulary import Role


@dataclass(frozen=True)
class Holder:
    """Who sends a request, and what they may do."""

    id: int
    """Of the token."""
    name: str
    role: Role


@dataclass(frozen=True)
class AnswerPlace:
    """What tells one request with an `Idempotency-Key` from another."""

    token_id: int
    path: str
    key: str


_VALID = text(
    "SELECT id, name, role FROM api_token WHERE digest = :digest AND revoked_at IS NULL"
)


def add(session: Session, name: str, role: Role, digest: str) -> ApiToken | None:
    """Store a token; None where its name is taken."""
    return session.scalar(
        insert(ApiToken)
        .values(name=name, role=role, digest=digest)
        .on_conflict_do_nothing(index_elements=[ApiToken.name])
        .returning(ApiToken)
    )


def valid(session: Session, digest: str) -> Holder | None:
    """Who holds the token of a digest, unless it was revoked (unique on `digest`)."""
    row = session.execute(_VALID, {"digest": digest}).one_or_none()
    return None if row is None else Holder(row.id, row.name, Role(row.role))


def every(session: Session) -> list[ApiToken]:
    """All tokens by name."""
    return list(session.scalars(select(ApiToken).order_by(ApiToken.name)))


def revoke(session: Session, name: str) -> ApiToken | None:
    """Note when a token was revoked first; None where there is none of this name."""
    return session.scalar(
        update(ApiToken)
        .where(ApiToken.name == name)
        .values(revoked_at=func.coalesce(ApiToken.revoked_at, func.now()))
        .returning(ApiToken)
        .execution_options(populate_existing=True)
    )


# Waits for another transaction that has begun to answer: it commits, or it fails and
# the answer is ours to give.
_BEGIN_ANSWER = text(
    """
    INSERT INTO stored_answer (token_id, path, key, body_digest, status, answer)
    VALUES (:token_id, :path, :key, :body_digest, 0, '{}') ON CONFLICT DO NOTHING
    RETURNING token_id
    """
)

_STORE_ANSWER = text(
    """
    UPDATE stored_answer SET status = :status, answer = CAST(:answer AS jsonb)
    WHERE token_id = :token_id AND path = :path AND key = :key
    """
)


def begin_answer(session: Session, place: AnswerPlace, body_digest: str) -> bool:
    """Take the place of an answer; False where it has one.

    Of two equal requests at once the second waits here until the first has committed
    or failed. Nobody else sees a place without its answer: it is taken and filled in
    one transaction.
    """
    facts = {**asdict(place), "body_digest": body_digest}
    return session.scalar(_BEGIN_ANSWER, facts) is not None


def find_answer(session: Session, place: AnswerPlace) -> StoredAnswer:
    """The answer to a request that was sent before."""
    return session.get_one(StoredAnswer, (place.token_id, place.path, place.key))


def store_answer(
    session: Session, place: AnswerPlace, *, status: int, answer: str
) -> None:
    """Fill a place that this transaction has taken with an answer, as JSON."""
    facts = {**asdict(place), "status": status, "answer": answer}
    session.execute(_STORE_ANSWER, facts)


def forget_answers(session: Session, older_than: timedelta) -> int:
    """Delete answers that nobody will ask for again (`ix_stored_answer_created_at`)."""
    forgotten = session.execute(
        delete(StoredAnswer)
        .where(StoredAnswer.created_at < func.now() - older_than)
        .returning(StoredAnswer.key)
        .execution_options(synchronize_session=False)
    )
    return len(forgotten.all())

"""Tokens, answered requests and workers that showed themselves."""

from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.base import JsonObject
from db.tables import ApiToken, StoredAnswer
from db.vocabulary import Role


def add(session: Session, name: str, role: Role, digest: str) -> ApiToken | None:
    """Store a token; None where its name is taken."""
    return session.scalar(
        insert(ApiToken)
        .values(name=name, role=role, digest=digest)
        .on_conflict_do_nothing(index_elements=[ApiToken.name])
        .returning(ApiToken)
    )


def valid(session: Session, digest: str) -> ApiToken | None:
    """The token of a digest, unless it was revoked (unique index on `digest`)."""
    return session.scalar(
        select(ApiToken).where(ApiToken.digest == digest, ApiToken.revoked_at.is_(None))
    )


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


def find_answer(
    session: Session, token_id: int, path: str, key: str
) -> StoredAnswer | None:
    """The answer to a request that was sent before."""
    return session.get(StoredAnswer, (token_id, path, key))


def store_answer(
    session: Session,
    place: tuple[int, str, str],
    body_digest: str,
    *,
    status: int,
    answer: JsonObject,
) -> None:
    """Keep the answer to a request."""
    token_id, path, key = place
    session.add(
        StoredAnswer(
            token_id=token_id,
            path=path,
            key=key,
            body_digest=body_digest,
            status=status,
            answer=answer,
        )
    )
    session.flush()


def forget_answers(session: Session, older_than: timedelta) -> int:
    """Delete answers that nobody will ask for again (`ix_stored_answer_created_at`)."""
    forgotten = session.execute(
        delete(StoredAnswer)
        .where(StoredAnswer.created_at < func.now() - older_than)
        .returning(StoredAnswer.key)
        .execution_options(synchronize_session=False)
    )
    return len(forgotten.all())

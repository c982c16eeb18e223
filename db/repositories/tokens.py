"""Bearer tokens: only their digests are here."""

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.repositories.driver import fetch_one
from db.tables import ApiToken
from db.vocabulary import Role


@dataclass(frozen=True)
class Holder:
    """Who sends a request, and what they may do."""

    id: int
    """Of the token."""
    name: str
    role: Role


_VALID = """
SELECT id, name, role FROM api_token WHERE digest = %(digest)s AND revoked_at IS NULL
"""


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
    row = fetch_one(session, _VALID, {"digest": digest})
    if row is None:
        return None
    number, name, role = row
    return Holder(number, name, Role(role))


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

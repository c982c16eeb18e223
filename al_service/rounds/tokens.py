"""Bearer tokens: a secret is shown once, its digest is kept."""

import hashlib
import secrets
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import Conflict, InvalidInput, NotFound
from db.repositories import tokens
from db.repositories.tokens import Holder
from db.tables import ApiToken
from db.vocabulary import Role

SECRET_BYTES: Final = 32
"""256 bits: nobody guesses them, so a plain digest protects them (no password hash)."""

PREFIX: Final = "al_"
"""Makes a leaked secret recognizable to scanners."""

LONGEST_NAME: Final = 200


def create_token(session: Session, name: str, role: Role) -> tuple[ApiToken, str]:
    """Create a token.

    Args:
        session: the caller commits.
        name: whose it is: the labeler's name on leases and labels.
        role: what it grants.

    Returns:
        The token, and its secret, which nobody can look up later.

    Raises:
        Conflict: the name is taken, by a revoked token too: names stand on labels.
    """
    if not 1 <= len(name.strip()) <= LONGEST_NAME or "\x00" in name:
        raise InvalidInput(
            f"name: expected 1 to {LONGEST_NAME} characters, found {name[:40]!r}"
        )
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token = tokens.add(session, name, role, _digest(secret))
    if token is None:
        raise Conflict(f"a token named {name!r} exists already: choose another name")
    return token, secret


def authenticate(session: Session, secret: str) -> Holder | None:
    """Who holds the token of a secret; None where it is unknown or revoked."""
    return tokens.valid(session, _digest(secret))


def list_tokens(session: Session) -> list[ApiToken]:
    """Every token by name, revoked ones included."""
    return tokens.every(session)


def revoke_token(session: Session, name: str) -> ApiToken:
    """Make a token worthless from its next request on; again does nothing.

    Raises:
        NotFound: there is none of this name.
    """
    token = tokens.revoke(session, name)
    if token is None:
        raise NotFound("token", name)
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

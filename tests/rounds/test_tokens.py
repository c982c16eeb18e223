import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from al_service.errors import Conflict, InvalidInput, NotFound
from al_service.rounds.tokens import (
    authenticate,
    create_token,
    list_tokens,
    revoke_token,
)
from db.repositories.tokens import Holder
from db.vocabulary import Role


def test_a_secret_is_its_token(session: Session) -> None:
    token, secret = create_token(session, "ann", Role.LABELER)
    assert authenticate(session, secret) == Holder(token.id, "ann", Role.LABELER)


def test_an_unknown_secret_is_nobody(session: Session) -> None:
    create_token(session, "ann", Role.ADMIN)
    assert authenticate(session, "al_wrong") is None
    assert authenticate(session, "") is None


def test_a_secret_is_nowhere_in_the_database(session: Session) -> None:
    _, secret = create_token(session, "ann", Role.ADMIN)
    stored = session.execute(text("SELECT api_token::text FROM api_token")).scalars()
    assert all(secret not in row for row in stored)


def test_a_revoked_token_is_nobody_and_its_name_stays_taken(session: Session) -> None:
    _, secret = create_token(session, "ann", Role.LABELER)
    first = revoke_token(session, "ann").revoked_at
    assert authenticate(session, secret) is None
    assert revoke_token(session, "ann").revoked_at == first
    with pytest.raises(Conflict, match="exists already"):
        create_token(session, "ann", Role.LABELER)
    # The refusal leaves the transaction usable.
    create_token(session, "bob", Role.VIEWER)
    assert [token.name for token in list_tokens(session)] == ["ann", "bob"]


def test_a_token_that_does_not_exist_cannot_be_revoked(session: Session) -> None:
    with pytest.raises(NotFound, match="token"):
        revoke_token(session, "nobody")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\x00b"])
def test_an_impossible_name_is_refused(session: Session, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        create_token(session, name, Role.VIEWER)

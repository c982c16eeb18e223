import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from al_service.errors import IdempotencyConflict
from al_service.rounds import leasing
from al_service.rounds.idempotency import forget_old, remember, remembered
from al_service.rounds.tokens import create_token
from db.repositories.answers import AnswerPlace
from db.vocabulary import Role
from tests.conftest import Database
from tests.db.factories import make_campaign, make_pool

PATH = "/api/v1/campaigns/survey/batches"


@pytest.fixture
def token_id(session: Session) -> int:
    return create_token(session, "ann", Role.LABELER)[0].id


def place(token_id: int, key: str = "k", path: str = PATH) -> AnswerPlace:
    return AnswerPlace(token_id, path, key)


def keep(session: Session, token_id: int, key: str = "k") -> None:
    assert remembered(session, place(token_id, key), "body") is None
    remember(session, place(token_id, key), '{"id": 1}')


def test_the_same_request_gets_the_same_answer(session: Session, token_id: int) -> None:
    keep(session, token_id)
    stored = remembered(session, place(token_id), "body")
    assert stored is not None
    assert stored.answer == '{"id": 1}'


def test_a_key_stands_for_one_body(session: Session, token_id: int) -> None:
    keep(session, token_id)
    with pytest.raises(IdempotencyConflict, match="'k'"):
        remembered(session, place(token_id), "another body")


def test_a_key_belongs_to_its_token_and_path(session: Session, token_id: int) -> None:
    keep(session, token_id)
    other = create_token(session, "bob", Role.LABELER)[0].id
    assert remembered(session, place(other), "another body") is None
    elsewhere = place(token_id, path="/elsewhere")
    assert remembered(session, elsewhere, "another body") is None


def test_old_answers_are_forgotten(session: Session, token_id: int) -> None:
    keep(session, token_id, "old")
    session.execute(text("UPDATE stored_answer SET created_at = now() - interval '8d'"))
    keep(session, token_id, "new")
    session.expire_all()
    assert forget_old(session) == 1
    assert remembered(session, place(token_id, "old"), "body") is None
    assert remembered(session, place(token_id, "new"), "body") is not None


def test_one_request_sent_twice_at_once_happens_once(database: Database) -> None:
    with database.sessions.begin() as session:
        make_pool(session)
        campaign = make_campaign(session)
        token_id = create_token(session, "ann", Role.LABELER)[0].id
    together = Barrier(4)

    def send(_: int) -> object:
        with database.sessions.begin() as session:
            together.wait()
            stored = remembered(session, place(token_id), "body")
            if stored is not None:
                return json.loads(stored.answer)["id"]
            batch = leasing.ask(session, campaign, labeler="ann", size=2)
            answer = json.dumps({"id": batch.id})
            remember(session, place(token_id), answer)
            return batch.id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(4)))) == 1
    with database.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM lease")) == 1


def test_a_request_that_failed_is_not_remembered(database: Database) -> None:
    with database.sessions.begin() as session:
        token_id = create_token(session, "ann", Role.LABELER)[0].id
    with database.sessions() as session:
        keep(session, token_id)
        session.rollback()
    with database.sessions() as session:
        assert remembered(session, place(token_id), "body") is None

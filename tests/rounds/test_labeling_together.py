"""Telling by several connections at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import Engine, func, select, text

from al_service.errors import InvalidLabels
from al_service.local.processes import wait_until
from al_service.rounds import leasing
from al_service.rounds.labeling import NewLabel, tell
from db.repositories import leases
from db.tables import Candidate, Label, Lease
from db.vocabulary import CandidateState, LeaseState
from tests.conftest import Database
from tests.db.factories import ids_of, make_campaign, make_pool, object_name

TELLERS = 6


def test_one_label_sent_by_six_connections_at_once_is_stored_once(
    database: Database,
) -> None:
    with database.sessions.begin() as session:
        make_pool(session)
        campaign = make_campaign(session)
    together = Barrier(TELLERS)
    labels = [NewLabel(object_name(number), {"z": 0.1}) for number in range(20)]

    def send(_: int) -> list[int]:
        with database.sessions.begin() as session:
            together.wait()
            told = tell(session, campaign, labeler="ann", batch_id=None, labels=labels)
            return [label.id for label in told]

    with ThreadPoolExecutor(TELLERS) as pool:
        answers = list(pool.map(send, range(TELLERS)))
    assert all(answer == answers[0] for answer in answers)
    with database.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Label)) == 20


def test_of_different_corrections_at_once_one_is_stored_and_the_others_hear_of_it(
    database: Database,
) -> None:
    with database.sessions.begin() as session:
        make_pool(session)
        campaign = make_campaign(session)
        (first,) = tell(
            session,
            campaign,
            labeler="ann",
            batch_id=None,
            labels=[NewLabel(object_name(1), {"z": 0.1})],
        )
    together = Barrier(TELLERS)

    def correct(number: int) -> str:
        values = {"z": 0.2 + number / 100}
        label = NewLabel(object_name(1), values, supersedes=first.id)
        try:
            with database.sessions.begin() as session:
                together.wait()
                tell(session, campaign, labeler="ann", batch_id=None, labels=[label])
        except InvalidLabels as refused:
            return str(refused)
        return "stored"

    with ThreadPoolExecutor(TELLERS) as pool:
        answers = sorted(pool.map(correct, range(TELLERS)))
    assert answers.pop() == "stored"
    assert all("was corrected by label" in answer for answer in answers)


def test_asking_telling_and_giving_back_at_once_lose_and_lock_nothing(
    database: Database,
) -> None:
    with database.sessions.begin() as session:
        make_pool(session, n_pool=400)
        campaign = make_campaign(session, random_share=0.2)

    def work(number: int) -> int:
        told = 0
        for turn in range(8):
            with database.sessions.begin() as session:
                batch = leasing.ask(session, campaign, labeler=f"{number}", size=4)
            labels = [NewLabel(item.object_id, {"z": 0.1}) for item in batch.items]
            kept = labels[:2] if turn % 2 else labels
            with database.sessions.begin() as session:
                told += len(
                    tell(
                        session,
                        campaign,
                        labeler=f"{number}",
                        batch_id=batch.id,
                        labels=kept,
                    )
                )
            if turn % 2:
                with database.sessions.begin() as session:
                    leasing.release(session, batch.id)
            with database.sessions.begin() as session:
                leasing.expire(session)
        return told

    with ThreadPoolExecutor(TELLERS) as pool:
        told = sum(pool.map(work, range(TELLERS)))
    assert told == TELLERS * 4 * (4 + 2)
    with database.sessions() as session:
        states = dict(
            session.execute(
                select(Candidate.state, func.count()).group_by(Candidate.state)
            ).all()
        )
        assert states == {
            CandidateState.LABELED: told,
            CandidateState.FREE: 400 - told,
        }
        leases = set(session.scalars(select(Lease.state)))
        assert leases == {LeaseState.LABELED, LeaseState.RELEASED}


def test_whoever_got_an_object_while_its_lock_was_waited_for_is_locked_too(
    database: Database,
) -> None:
    with database.sessions.begin() as session:
        make_pool(session, n_pool=1, n_evaluation=0)
        campaign = make_campaign(session)
        first = leasing.ask(session, campaign, labeler="ann", size=1)
        (sky_object_id,) = ids_of(session, campaign, [object_name(0)])

    def lock() -> tuple[list[int], set[int]]:
        with database.sessions.begin() as session:
            holdings = leases.lock_holders(session, campaign.id, [sky_object_id])
            with database.sessions() as other:
                free = set(
                    other.scalars(select(Lease.id).with_for_update(skip_locked=True))
                )
            return [holding.lease_id for holding in holdings], free

    with ThreadPoolExecutor(1) as pool, database.sessions.begin() as session:
        leasing.release(session, first.id)
        second = leasing.ask(session, campaign, labeler="bob", size=1)
        waiting = pool.submit(lock)
        assert wait_until(lambda: someone_waits(database.engine), seconds=10.0)
        session.commit()
        holders, free = waiting.result(10.0)

    assert holders == [second.id]
    assert free == set()


def someone_waits(engine: Engine) -> bool:
    with engine.connect() as connection:
        waiting = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
        )
    return bool(waiting)

"""Leasing by many connections at once: real commits, real threads."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from al_service.errors import BudgetSpent
from al_service.rounds import leasing
from db.tables import Campaign, Candidate, LeaseItem
from db.vocabulary import CandidateState
from tests.conftest import Database
from tests.db.factories import make_campaign, make_pool, rank_all

ASKERS, BATCHES, SIZE = 8, 25, 5


def campaign_on(database: Database, *, n_pool: int, **given: float) -> Campaign:
    with database.sessions.begin() as session:
        make_pool(session, n_pool=n_pool, n_evaluation=0)
        campaign = make_campaign(session, **given)
        rank_all(session, campaign, numbers=range(n_pool))
    return campaign


def ask_all(database: Database, campaign: Campaign, asker: int) -> list[str]:
    got: list[str] = []
    for _ in range(BATCHES):
        with database.sessions.begin() as session:
            mine = session.get_one(Campaign, campaign.id)
            batch = leasing.ask(session, mine, labeler=f"asker {asker}", size=SIZE)
        got += [item.object_id for item in batch.items]
    return got


def test_eight_connections_asking_at_once_never_get_the_same_object(
    database: Database,
) -> None:
    """Trap 4: the lease lives on the row that is locked."""
    campaign = campaign_on(database, n_pool=3000, random_share=0.1)
    with ThreadPoolExecutor(ASKERS) as pool:
        results = pool.map(lambda n: ask_all(database, campaign, n), range(ASKERS))
        handed_out = Counter(name for names in results for name in names)
    assert handed_out.total() == ASKERS * BATCHES * SIZE
    assert set(handed_out.values()) == {1}
    with database.sessions() as session:
        leased = session.scalar(
            select(func.count()).where(Candidate.state == CandidateState.LEASED)
        )
        assert leased == handed_out.total()


def test_the_last_objects_of_a_pool_are_handed_out_once_as_well(
    database: Database,
) -> None:
    campaign = campaign_on(database, n_pool=300)
    with ThreadPoolExecutor(ASKERS) as pool:
        results = pool.map(lambda n: ask_all(database, campaign, n), range(ASKERS))
        handed_out = Counter(name for names in results for name in names)
    assert len(handed_out) == 300
    assert set(handed_out.values()) == {1}


def test_a_budget_is_not_exceeded_by_asks_at_the_same_time(database: Database) -> None:
    campaign = campaign_on(database, n_pool=300, budget=20)
    start = Barrier(ASKERS)

    def ask(asker: int) -> int:
        start.wait()
        got = 0
        for _ in range(3):
            try:
                with database.sessions.begin() as session:
                    mine = session.get_one(Campaign, campaign.id)
                    batch = leasing.ask(session, mine, labeler=f"{asker}", size=3)
            except BudgetSpent:
                break
            got += len(batch.items)
        return got

    with ThreadPoolExecutor(ASKERS) as pool:
        assert sum(pool.map(ask, range(ASKERS))) == 20


def test_objects_that_somebody_else_has_locked_are_not_the_end_of_the_pool(
    database: Database,
) -> None:
    """Skipped rows may be free again in a moment: a client that heard `exhausted`
    would have gone home."""
    campaign = campaign_on(database, n_pool=10)

    def ask(session: Session, labeler: str) -> leasing.Batch:
        mine = session.get_one(Campaign, campaign.id)
        return leasing.ask(session, mine, labeler=labeler, size=10)

    with database.sessions() as first, database.sessions.begin() as second:
        ask(first, "ann")
        short = ask(second, "bob")
        assert (len(short.items), short.exhausted) == (0, False)
        first.rollback()
    with database.sessions.begin() as session:
        assert len(ask(session, "bob").items) == 10
    with database.sessions.begin() as session:
        assert ask(session, "ann").exhausted


def test_a_lease_is_swept_once_by_two_sweeps_at_the_same_time(
    database: Database,
) -> None:
    campaign = campaign_on(database, n_pool=50)
    with database.sessions.begin() as session:
        for number in range(10):
            leasing.ask(session, campaign, labeler=f"{number}", size=3)
        session.execute(
            text(
                "UPDATE lease SET opened_at = opened_at - interval '3 days',"
                " expires_at = opened_at - interval '2 days'"
            )
        )
    both = Barrier(2)

    def sweep(_: int) -> int:
        with database.sessions.begin() as session:
            both.wait()
            return leasing.expire(session)

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(sweep, range(2))) == 10
    with database.sessions() as session:
        assert free_candidates(session) == 50


def test_a_released_batch_is_not_labeled_and_freed_by_two_at_once(
    database: Database,
) -> None:
    campaign = campaign_on(database, n_pool=50)
    with database.sessions.begin() as session:
        batch = leasing.ask(session, campaign, labeler="ann", size=3)
    released = Event()
    answers: list[int | str] = []

    def release_later() -> None:
        released.wait()
        with database.sessions.begin() as session:
            try:
                answers.append(leasing.release(session, batch.id))
            except Exception as error:  # noqa: BLE001 # the loser's answer is looked at
                answers.append(type(error).__name__)

    loser = Thread(target=release_later)
    loser.start()
    with database.sessions.begin() as winner:
        answers.append(leasing.release(winner, batch.id))
        released.set()
        wait_for_a_blocked_connection(database)
    loser.join()
    assert answers == [3, "LeaseClosed"]
    with database.sessions() as session:
        assert session.scalar(select(func.count()).select_from(LeaseItem)) == 3


def free_candidates(session: Session) -> int:
    return (
        session.scalar(
            select(func.count()).where(Candidate.state == CandidateState.FREE)
        )
        or 0
    )


def wait_for_a_blocked_connection(database: Database) -> None:
    """Until PostgreSQL itself says that somebody waits for a lock."""
    with database.engine.connect() as watcher:
        for _ in range(10_000):
            waiting = watcher.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
            )
            watcher.rollback()
            if waiting:
                return
    raise AssertionError("nobody waited")

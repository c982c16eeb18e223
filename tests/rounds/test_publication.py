import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from psycopg.errors import ForeignKeyViolation
from sqlalchemy import select, text

from al_service.rounds import claiming, leasing
from al_service.rounds.artifacts import Artifacts
from al_service.rounds.assignment import Assignment, Workplace, read_subject
from al_service.rounds.heart import Heart
from al_service.rounds.ordering import NewRanking
from al_service.rounds.publication import Outcome, Results, publish
from db.repositories import campaigns, locks, rankings
from db.repositories.predictions import NewPrediction
from db.tables import RankedObject, SkyObject
from db.vocabulary import RunKind, RunState, Split
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory

PATIENCE_SECONDS = 30.0


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def claimed(sky: Observatory, campaign_id: int) -> Assignment:
    """The campaign's score run in our hands; a new one where there is none."""
    live = sky.live_run(campaign_id, RunKind.SCORE)
    run_id = sky.plan(campaign_id, RunKind.SCORE) if live is None else live.id
    with sky.sessions.begin() as session:
        claim = claiming.claim(
            session, run_id, worker="we", stale_after=sky.settings.stale_after
        )
        assert claim is not None
        subject = read_subject(session, claim)
    place = Workplace(
        sky.sessions, Artifacts(sky.artifacts), sky.settings, "we", lambda: False
    )
    heart = Heart(
        claim.beat,
        of="a run",
        sessions=sky.sessions,
        every_seconds=1.0,
        shutting_down=lambda: False,
    )
    return Assignment(claim, subject, place, heart)


def objects(sky: Observatory, split: Split) -> list[int]:
    with sky.sessions.begin() as session:
        found = session.query(SkyObject.id).filter_by(split=split).order_by("row")
        return [row[0] for row in found]


def results(ids: list[int], *, reason: str = "lcmd") -> Results:
    scores = np.linspace(2.0, 1.0, len(ids))
    said = '{"z": {"mean": 0.1}}'
    return Results(
        ranking=NewRanking(np.array(ids, dtype=np.int64), scores, reason),
        predictions=[NewPrediction(one, 1.0, said) for one in ids],
        points=(),
        metrics={},
    )


def test_everything_is_switched_at_once(sky: Observatory) -> None:
    campaign_id = sky.open_campaign()
    ids = objects(sky, Split.POOL)
    first = claimed(sky, campaign_id)
    publish(first, results(ids[:50]), served_run_id=None)
    second = claimed(sky, campaign_id)

    outcome = publish(
        second, results(ids[40:60], reason="other"), served_run_id=first.run_id
    )

    assert outcome is Outcome.PUBLISHED
    assert sky.served(campaign_id) == second.run_id
    ranking = sky.ranking(campaign_id)
    assert len(ranking) == 20
    assert {reason for _, _, reason in ranking} == {"other"}
    assert [score for _, score, _ in ranking] == sorted(
        (score for _, score, _ in ranking), reverse=True
    )
    predictions = sky.predictions(campaign_id)
    assert len(predictions) == 20
    assert {one.run_id for one in predictions.values()} == {second.run_id}


def test_a_run_that_another_worker_has_taken_up_changes_nothing(
    sky: Observatory,
) -> None:
    campaign_id = sky.open_campaign()
    ours = claimed(sky, campaign_id)
    stale = replace(ours, claim=replace(ours.claim, fence=ours.claim.fence - 1))

    outcome = publish(stale, results(objects(sky, Split.POOL)[:5]), served_run_id=None)

    assert outcome is Outcome.LOST
    assert sky.run(ours.run_id).state is RunState.RUNNING
    assert sky.ranking(campaign_id) == []
    assert sky.predictions(campaign_id) == {}


def test_a_run_that_was_canceled_at_the_last_moment_changes_nothing(
    sky: Observatory,
) -> None:
    campaign_id = sky.open_campaign()
    ours = claimed(sky, campaign_id)
    with sky.sessions.begin() as session:
        claiming.cancel(session, ours.run_id)

    outcome = publish(ours, results(objects(sky, Split.POOL)[:5]), served_run_id=None)

    assert outcome is Outcome.LOST
    assert sky.ranking(campaign_id) == []


def test_a_run_that_was_overtaken_looks_again(sky: Observatory) -> None:
    campaign_id = sky.open_campaign()
    ids = objects(sky, Split.POOL)
    first = claimed(sky, campaign_id)
    publish(first, results(ids[:5]), served_run_id=None)
    late = claimed(sky, campaign_id)

    outcome = publish(late, results(ids[5:9]), served_run_id=None)

    assert outcome is Outcome.OVERTAKEN
    assert sky.served(campaign_id) == first.run_id
    assert len(sky.ranking(campaign_id)) == 5
    assert publish(late, results(ids[5:9]), served_run_id=None, insists=True) is (
        Outcome.PUBLISHED
    )


def test_an_object_that_was_taken_since_the_order_was_made_is_stepped_over(
    sky: Observatory,
) -> None:
    campaign_id = sky.open_campaign(random_share=0.0)
    ids = objects(sky, Split.POOL)
    publish(claimed(sky, campaign_id), results(ids[:20]), served_run_id=None)
    batch = sky.ask(campaign_id, 4)
    sky.tell_objects(
        campaign_id, [item.object_id for item in batch.items[:2]], batch_id=batch.id
    )
    taken = {item.object_id for item in batch.items}

    again = claimed(sky, campaign_id)
    publish(again, results(ids[:20]), served_run_id=sky.served(campaign_id))

    assert taken.isdisjoint(name for name, _, _ in sky.ranking(campaign_id))
    with sky.sessions.begin() as session:
        leasing.release(session, batch.id)
    back = taken & {name for name, _, _ in sky.ranking(campaign_id)}
    assert back == {item.object_id for item in batch.items[2:]}, (
        "what is given back has the place that the newest order gave it"
    )


def test_an_evaluation_object_cannot_be_ranked(sky: Observatory) -> None:
    campaign_id = sky.open_campaign(pool=sky.pool, targets=("sfr_avg",))
    with sky.sessions.begin() as session:
        examiner = session.scalar(
            text("SELECT sky_object_id FROM candidate WHERE split = 'evaluation'")
        )
    assert examiner is not None
    ours = claimed(sky, campaign_id)

    with pytest.raises(ForeignKeyViolation, match="ranked_object_sky_object_id_split"):
        publish(ours, results([examiner]), served_run_id=None)

    assert sky.served(campaign_id) is None


def test_an_ask_in_the_middle_of_a_publication_walks_the_order_that_serves(
    sky: Observatory,
) -> None:
    campaign_id = sky.open_campaign(random_share=0.0)
    ids = objects(sky, Split.POOL)
    publish(claimed(sky, campaign_id), results(ids, reason="old"), served_run_id=None)
    newer = claimed(sky, campaign_id)
    with sky.sessions.begin() as session:
        session.execute(text("SET LOCAL lock_timeout = '1ms'"))
        locks.hold_publication(session, campaign_id)
        rankings.store_ranking(
            session,
            newer.run_id,
            sky_object_ids=ids[::-1],
            scores=[0.0] * len(ids),
            reason="new",
        )
        campaigns.serve(session, campaign_id, newer.run_id)
        batch = sky.ask(campaign_id, 10)  # another connection, before the commit

    assert {item.reason for item in batch.items} == {"old"}
    assert not batch.exhausted
    assert {item.reason for item in sky.ask(campaign_id, 10).items} == {"new"}


def test_the_order_before_is_kept_for_asks_that_are_walking_it(
    sky: Observatory,
) -> None:
    campaign_id = sky.open_campaign()
    ids = objects(sky, Split.POOL)
    run_ids = []
    for _ in range(3):
        run = claimed(sky, campaign_id)
        publish(run, results(ids[:5]), served_run_id=sky.served(campaign_id))
        run_ids.append(run.run_id)

    with sky.sessions.begin() as session:
        kept = set(session.scalars(select(RankedObject.run_id)))
    assert kept == set(run_ids[1:])


def test_asks_and_publications_at_once_hand_out_ranked_objects_only(
    sky: Observatory,
) -> None:
    campaign_id = sky.open_campaign(random_share=0.0)
    ids = objects(sky, Split.POOL)
    publish(claimed(sky, campaign_id), results(ids, reason="r0"), served_run_id=None)
    over = threading.Event()
    reasons: list[str] = []
    names: list[str] = []

    def observe() -> None:
        while not over.is_set() and len(names) < 150:
            batch = sky.ask(campaign_id, 3)
            reasons.extend(item.reason for item in batch.items)
            names.extend(item.object_id for item in batch.items)

    observers = [threading.Thread(target=observe) for _ in range(3)]
    for observer in observers:
        observer.start()
    for number in range(1, 6):
        run = claimed(sky, campaign_id)
        outcome = publish(
            run,
            results(ids, reason=f"r{number}"),
            served_run_id=sky.served(campaign_id),
        )
        assert outcome is Outcome.PUBLISHED
    over.set()
    for observer in observers:
        observer.join(PATIENCE_SECONDS)

    assert "random" not in reasons, "no ask may find the queue empty in between"
    assert len(names) == len(set(names))

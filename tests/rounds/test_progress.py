from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from al_service.errors import NotFound
from al_service.rounds import claiming, leasing, progress
from al_service.rounds.planning import plan
from db.tables import Campaign, CurvePoint, Run
from db.vocabulary import Arm, RunKind, RunState
from tests.db.factories import (
    claimed,
    label_many,
    make_campaign,
    make_pool,
    object_name,
    serve_full_run,
    write_label,
)

SOON = timedelta(seconds=30)


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session, n_pool=40, n_evaluation=10)
    return make_campaign(session, evaluation_size=4, random_share=1.0)


def point(
    run: Run, *, n_evaluation: int, value: float = 0.02, arm: Arm = Arm.ACTIVE
) -> CurvePoint:
    return CurvePoint(
        run_id=run.id,
        arm=arm,
        target="z",
        metric="rmse_norm",
        n_labels=run.n_labels,
        n_evaluation=n_evaluation,
        value=value,
    )


def test_a_campaign_shows_where_it_stands(session: Session, campaign: Campaign) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=6)
    names = [item.object_id for item in batch.items if item.reason == "random"]
    first = write_label(session, campaign, names[0], labeler="ann")
    write_label(session, campaign, names[0], labeler="ann", z=0.2, supersedes_id=first)
    write_label(session, campaign, names[1], labeler="ann", quality=1)
    status = progress.campaign_status(session, campaign)
    counts = status.counts
    assert (counts.free, counts.leased, counts.labeled) == (34, 4, 2)
    assert (counts.evaluation_asked, counts.evaluation_labels) == (4, 0)
    assert (counts.labels, counts.trainable) == (3, 1)
    assert (counts.open_batches, counts.random_sample) == (1, 6)
    assert (status.pool, status.spent, status.served_run) == ("sky", 6, None)
    assert [run.kind for run in status.live_runs] == [RunKind.SCORE]
    assert status.next_retrain.labels == 49


def test_the_curve_has_the_published_runs_and_says_on_how_little_it_rests(
    session: Session, campaign: Campaign
) -> None:
    empty = progress.learning_curve(session, campaign)
    assert (empty.points, empty.notes) == ((), ("no run has been evaluated yet",))
    label_many(session, campaign, range(20))
    served = serve_full_run(session, campaign)
    session.add(point(served, n_evaluation=12))
    refused = session.get_one(Run, plan(session, campaign, RunKind.FULL))
    claiming.finish(session, claimed(session, refused.id), RunState.REFUSED)
    session.add(point(refused, n_evaluation=12))
    session.flush()
    curve = progress.learning_curve(session, campaign)
    (shown,) = curve.points
    assert (shown.run_id, shown.n_labels, shown.value) == (served.id, 20, 0.02)
    assert shown.label_digest == served.head_digest
    assert curve.n_evaluation == 12
    assert "only 12 evaluation labels" in curve.notes[0]


def test_the_control_arms_of_a_refused_run_count(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    refused = session.get_one(Run, plan(session, campaign, RunKind.FULL))
    claiming.finish(session, claimed(session, refused.id), RunState.REFUSED)
    for arm in Arm:
        session.add(point(refused, n_evaluation=60, arm=arm))
    session.flush()
    shown = progress.learning_curve(session, campaign).points
    assert {one.arm for one in shown} == {Arm.RANDOM, Arm.ACTIVE_MATCHED}


def test_runs_are_listed_newest_first(session: Session, campaign: Campaign) -> None:
    label_many(session, campaign, range(20))
    full = serve_full_run(session, campaign)
    runs = progress.list_runs(session, campaign, stale_after=SOON, limit=10)
    assert [run.kind for run in runs] == [RunKind.FULL, RunKind.SCORE]
    after = progress.list_runs(
        session, campaign, stale_after=SOON, after=full.id, limit=10
    )
    assert [run.kind for run in after] == [RunKind.SCORE]


def test_a_run_says_how_long_it_will_take(session: Session, campaign: Campaign) -> None:
    (planned,) = progress.list_runs(session, campaign, stale_after=SOON)
    assert planned.eta_seconds is None
    claim = claimed(session, planned.id)
    claiming.beat(session, claim, 0.001)
    assert progress.show_run(session, planned.id, stale_after=SOON).eta_seconds is None
    claiming.beat(session, claim, 0.25)
    session.execute(
        update(Run).values(started_at=Run.started_at - timedelta(minutes=1))
    )
    eta = progress.show_run(session, planned.id, stale_after=SOON).eta_seconds
    assert eta == pytest.approx(180, rel=0.1)


def test_a_silent_worker_is_shown_as_such_and_not_as_a_failure(
    session: Session, campaign: Campaign
) -> None:
    (planned,) = progress.list_runs(session, campaign, stale_after=SOON)
    claimed(session, planned.id)
    assert not progress.show_run(session, planned.id, stale_after=SOON).stale
    session.execute(
        update(Run).values(heartbeat_at=Run.heartbeat_at - timedelta(minutes=1))
    )
    shown = progress.show_run(session, planned.id, stale_after=SOON)
    assert (shown.stale, shown.state, shown.eta_seconds) == (
        True,
        RunState.RUNNING,
        None,
    )


def test_the_settings_say_when_a_worker_counts_as_silent(
    session: Session, campaign: Campaign
) -> None:
    (planned,) = progress.list_runs(session, campaign, stale_after=SOON)
    claimed(session, planned.id)
    session.execute(
        update(Run).values(heartbeat_at=Run.heartbeat_at - timedelta(minutes=1))
    )
    patient = timedelta(minutes=10)
    assert not progress.show_run(session, planned.id, stale_after=patient).stale
    (listed,) = progress.list_runs(session, campaign, stale_after=patient)
    assert not listed.stale


def test_a_run_that_does_not_exist_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="run"):
        progress.show_run(session, 4711, stale_after=SOON)


def test_a_label_of_an_object_that_examines_is_counted_as_one(
    session: Session, campaign: Campaign
) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=40)
    examined = [i.object_id for i in batch.items if i.reason == "evaluation"]
    assert len(examined) == 0  # every slot is random while the pool lasts
    rest = leasing.ask(session, campaign, labeler="bob", size=9)
    examined = [i.object_id for i in rest.items if i.reason == "evaluation"]
    assert len(examined) == 4
    write_label(session, campaign, examined[0])
    write_label(session, campaign, object_name(0))
    counts = progress.campaign_status(session, campaign).counts
    assert (counts.evaluation_labels, counts.trainable) == (1, 1)

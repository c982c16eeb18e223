import pytest
from sqlalchemy.orm import Session

from al_service.rounds import claiming, leasing, progress
from al_service.rounds.planning import plan
from db.tables import Campaign, CurvePoint, Run
from db.vocabulary import Arm, RunKind, RunState
from tests.db.factories import (
    claimed,
    label_many,
    make_campaign,
    make_pool,
    serve_full_run,
    write_label,
)


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session, n_pool=80, n_evaluation=10)
    return make_campaign(session, random_share=1.0, strategy={"name": "lcmd"})


def draw(session: Session, run: Run, *arms: Arm) -> None:
    for arm in arms:
        session.add(
            CurvePoint(
                run_id=run.id,
                arm=arm,
                target="z",
                metric="rmse_norm",
                n_labels=run.n_labels,
                n_evaluation=60,
                value=0.02,
            )
        )
    session.flush()


def notes(session: Session, campaign: Campaign) -> tuple[str, ...]:
    return progress.learning_curve(session, campaign).notes


def test_one_full_run_has_no_controls_and_the_curve_says_so(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    draw(session, serve_full_run(session, campaign), Arm.ACTIVE)
    (note,) = notes(session, campaign)
    assert note == "no control arms yet: they begin with the second full run"


def test_too_few_random_labels_are_counted(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    draw(session, serve_full_run(session, campaign), Arm.ACTIVE)
    batch = leasing.ask(session, campaign, labeler="ann", size=30)
    drawn = [item.object_id for item in batch.items if item.reason == "random"]
    for object_id in drawn[:4]:
        write_label(session, campaign, object_id)
    refused = session.get_one(Run, plan(session, campaign, RunKind.FULL))
    claiming.finish(session, claimed(session, refused.id), RunState.REFUSED)
    (note,) = notes(session, campaign)
    assert "beside the 20 initial labels" in note
    assert "4 of the random sample and 0 that lcmd asked for" in note


def test_nothing_is_said_where_controls_are_there(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    draw(session, serve_full_run(session, campaign), *Arm)
    assert notes(session, campaign) == ()


def test_random_is_its_own_control(session: Session) -> None:
    make_pool(session, n_pool=40)
    campaign = make_campaign(session, strategy={"name": "random"})
    label_many(session, campaign, range(20))
    draw(session, serve_full_run(session, campaign), Arm.ACTIVE)
    assert notes(session, campaign) == (
        "no control arms: the strategy is random, its own control",
    )

"""A campaign is not left without any ranking because its first one came to nothing."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from al_service.rounds import claiming
from al_service.rounds.first_ranking import COLD_STARTS
from al_service.rounds.planning import due, plan_due
from db.tables import Campaign, Run
from db.vocabulary import CampaignState, RunKind, RunState
from tests.db.factories import claimed, make_campaign, make_pool, publish_run


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session)
    return make_campaign(session)


def live_run(session: Session) -> Run:
    return session.scalars(select(Run).where(Run.state == RunState.PLANNED)).one()


def fail(session: Session) -> None:
    claim = claimed(session, live_run(session).id)
    assert claiming.finish(session, claim, RunState.FAILED, message="disk full")


def wait_a_while(session: Session) -> None:
    session.execute(
        text("UPDATE run SET finished_at = finished_at - interval '2 minutes'")
    )


def test_a_failed_first_ranking_is_planned_again_after_a_pause(
    session: Session, campaign: Campaign
) -> None:
    fail(session)
    assert plan_due(session, campaign.id) == [], "a full disk does not heal at once"
    wait_a_while(session)
    (planned,) = plan_due(session, campaign.id)
    assert planned.kind is RunKind.SCORE
    assert plan_due(session, campaign.id) == []


@pytest.mark.parametrize("failures", [0, 1])
def test_a_first_ranking_that_a_person_canceled_stays_canceled(
    session: Session, campaign: Campaign, failures: int
) -> None:
    """It was planned again a minute later."""
    for _ in range(failures):
        fail(session)
        wait_a_while(session)
        plan_due(session, campaign.id)
    claiming.cancel(session, live_run(session).id)
    wait_a_while(session)
    assert due(session, campaign) == []


def test_what_fails_again_and_again_is_left_to_a_person(
    session: Session, campaign: Campaign
) -> None:
    for _ in range(COLD_STARTS - 1):
        fail(session)
        wait_a_while(session)
        assert len(plan_due(session, campaign.id)) == 1
    fail(session)
    wait_a_while(session)
    assert plan_due(session, campaign.id) == []


def test_a_campaign_with_a_ranking_wants_no_first_one(
    session: Session, campaign: Campaign
) -> None:
    publish_run(session, campaign, live_run(session).id)
    wait_a_while(session)
    assert due(session, campaign) == []


def test_a_paused_campaign_wants_nothing(session: Session, campaign: Campaign) -> None:
    fail(session)
    wait_a_while(session)
    campaign.state = CampaignState.PAUSED
    session.flush()
    assert due(session, campaign) == []

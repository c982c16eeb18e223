"""Runs that keep failing are found, until one of their kind succeeds."""

import pytest
from sqlalchemy.orm import Session

from al_service.rounds.campaigns import CampaignChange, change_campaign
from al_service.rounds.claiming import finish
from al_service.rounds.failures import Failure, last_failures
from al_service.rounds.planning import plan
from db.tables import Campaign
from db.vocabulary import CampaignState, RunKind, RunState
from tests.db.factories import claimed, label_many, make_campaign, make_pool


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session)
    campaign = make_campaign(session)
    label_many(session, campaign, range(20))
    return campaign


def end(session: Session, campaign: Campaign, state: RunState, why: str = "") -> int:
    run_id = plan(session, campaign, RunKind.FULL)
    finish(session, claimed(session, run_id), state, message=why or None)
    return run_id


def test_the_last_run_of_a_kind_is_a_failure_until_a_later_one_is_not(
    session: Session, campaign: Campaign
) -> None:
    assert last_failures(session) == []
    end(session, campaign, RunState.FAILED, "no memory")
    run_id = end(session, campaign, RunState.FAILED, "no disk")

    (failure,) = last_failures(session, campaign.id)

    assert (failure.run_id, failure.campaign) == (run_id, campaign.name)
    assert str(failure) == f"full run {run_id} failed: no disk"
    assert f'/campaigns/{campaign.name}/runs {{"kind": "full"}}' in failure.advice
    assert last_failures(session) == [failure]
    end(session, campaign, RunState.REFUSED)
    assert last_failures(session) == []


def test_a_finished_campaign_worries_nobody(
    session: Session, campaign: Campaign
) -> None:
    end(session, campaign, RunState.FAILED, "no disk")
    change_campaign(session, campaign.id, CampaignChange(state=CampaignState.FINISHED))
    assert last_failures(session) == []
    assert len(last_failures(session, campaign.id)) == 1


def test_many_attempts_are_counted() -> None:
    failure = Failure(3, "night", RunKind.HEAD, 3, "its worker died", None)
    assert str(failure) == "head run 3 failed after 3 attempts: its worker died"

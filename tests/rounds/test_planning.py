import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.errors import Conflict, RunInProgress, TooFewLabels
from al_service.rounds import planning
from al_service.rounds.campaigns import CampaignChange, change_campaign
from al_service.rounds.planning import PlannedRun, label_digest, plan, plan_due
from db.tables import Campaign, Run
from db.vocabulary import CampaignState, RunKind, RunState
from tests.db.factories import (
    age_labels,
    label_many,
    make_campaign,
    make_pool,
    object_name,
    publish_run,
    serve_full_run,
    write_label,
)

FULL, HEAD = RunKind.FULL, RunKind.HEAD
POLICY = {
    "full": {"labels": 25, "seconds": 3600},
    "head": {"labels": 3, "seconds": 60},
    "min_labels": 10,
}


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session, n_pool=80)
    return make_campaign(session, retrain=POLICY)


def kinds(planned: list[PlannedRun]) -> list[RunKind]:
    return [run.kind for run in planned]


def test_a_new_campaign_has_its_first_ranking_planned(
    session: Session, campaign: Campaign
) -> None:
    run = session.scalars(select(Run)).one()
    assert (run.kind, run.state, run.n_labels) == (
        RunKind.SCORE,
        RunState.PLANNED,
        0,
    )
    assert run.campaign_id == campaign.id
    assert run.label_digest == label_digest([])


def test_nothing_is_due_without_labels(session: Session, campaign: Campaign) -> None:
    assert plan_due(session, campaign.id) == []


def test_a_full_run_is_due_at_its_number_of_labels(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(24))
    assert plan_due(session, campaign.id) == []
    write_label(session, campaign, object_name(24))
    (planned,) = plan_due(session, campaign.id)
    run = session.get_one(Run, planned.id)
    assert (run.kind, run.n_labels) == (FULL, 25)
    assert run.base_run_id is None


def test_a_full_run_is_due_when_a_label_is_old_enough(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(12))
    age_labels(session, 3500)
    assert plan_due(session, campaign.id) == []
    age_labels(session, 200)
    assert kinds(plan_due(session, campaign.id)) == [FULL]


def test_a_network_is_not_trained_on_next_to_nothing(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(9))
    age_labels(session, 10_000)
    assert plan_due(session, campaign.id) == []
    with pytest.raises(TooFewLabels, match="needs 10 labels that train: it has 9"):
        plan(session, campaign, FULL)


def test_only_confident_labels_of_the_pool_count(
    session: Session, campaign: Campaign
) -> None:
    for number in range(30):
        write_label(session, campaign, object_name(number), quality=2)
    assert plan_due(session, campaign.id) == []


def test_due_work_is_planned_once(session: Session, campaign: Campaign) -> None:
    label_many(session, campaign, range(30))
    assert kinds(plan_due(session, campaign.id)) == [FULL]
    assert plan_due(session, campaign.id) == []
    with pytest.raises(RunInProgress) as refused:
        plan(session, campaign, FULL)
    live = session.scalars(select(Run).where(Run.kind == FULL)).one()
    assert refused.value.run_id == live.id


def test_a_head_run_needs_a_served_network(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    assert plan_due(session, campaign.id) == []
    with pytest.raises(Conflict, match="needs one"):
        plan(session, campaign, HEAD)


def test_a_head_run_follows_a_few_labels_and_rests_on_the_served_network(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    full = serve_full_run(session, campaign)
    assert plan_due(session, campaign.id) == []
    label_many(session, campaign, range(20, 22))
    assert plan_due(session, campaign.id) == []
    write_label(session, campaign, object_name(22))
    (planned,) = plan_due(session, campaign.id)
    head = session.get_one(Run, planned.id)
    assert (head.kind, head.base_run_id, head.n_labels) == (HEAD, full.id, 23)
    assert head.label_digest == full.label_digest
    assert head.head_digest != full.head_digest
    publish_run(session, campaign, head.id)
    label_many(session, campaign, range(23, 26))
    (again,) = [run for run in plan_due(session, campaign.id) if run.kind is HEAD]
    assert session.get_one(Run, again.id).base_run_id == full.id


def test_a_head_run_is_due_when_one_label_has_waited(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    serve_full_run(session, campaign)
    write_label(session, campaign, object_name(30))
    assert plan_due(session, campaign.id) == []
    age_labels(session, 61)
    assert kinds(plan_due(session, campaign.id)) == [HEAD]


def test_a_paused_campaign_plans_nothing(session: Session, campaign: Campaign) -> None:
    label_many(session, campaign, range(40))
    change_campaign(session, campaign.id, CampaignChange(state=CampaignState.PAUSED))
    assert plan_due(session, campaign.id) == []


def test_a_finished_campaign_starts_nothing(
    session: Session, campaign: Campaign
) -> None:
    change_campaign(session, campaign.id, CampaignChange(state=CampaignState.FINISHED))
    with pytest.raises(Conflict, match="finished"):
        plan(session, campaign, RunKind.SCORE)


def test_campaigns_are_planned_for_one_by_one(
    session: Session, campaign: Campaign
) -> None:
    other = make_campaign(session, name="other", retrain=POLICY)
    label_many(session, campaign, range(25))
    label_many(session, other, range(30))
    assert kinds(plan_due(session, other.id)) == [FULL]
    assert kinds(plan_due(session, campaign.id)) == [FULL]


def test_the_next_retrain_is_announced(session: Session, campaign: Campaign) -> None:
    assert planning.next_retrain(session, campaign) == planning.NextRetrain(25, None)
    label_many(session, campaign, range(18))
    age_labels(session, 600)
    soon = planning.next_retrain(session, campaign)
    assert soon.labels == 7
    assert soon.seconds == pytest.approx(3000, abs=30)
    plan(session, campaign, FULL)
    assert planning.next_retrain(session, campaign) == planning.NextRetrain(None, None)

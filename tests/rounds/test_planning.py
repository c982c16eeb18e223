import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.errors import Conflict, RunInProgress, TooFewLabels
from al_service.rounds import claiming, planning
from al_service.rounds.campaigns import CampaignChange, change_campaign
from al_service.rounds.planning import PlannedRun, label_digest, plan, plan_due
from db.tables import Campaign, Run, TrainingLabel
from db.vocabulary import CampaignState, RunKind, RunState, TrainingRole
from tests.db.factories import (
    age_labels,
    claimed,
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


def test_labels_that_come_while_a_run_lives_are_for_the_next_one(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(25))
    (first,) = plan_due(session, campaign.id)
    label_many(session, campaign, range(25, 60))
    frozen = session.scalars(
        select(TrainingLabel.label_id).where(TrainingLabel.run_id == first.id)
    ).all()
    assert len(frozen) == 25
    publish_run(session, campaign, first.id)
    (second,) = [run for run in plan_due(session, campaign.id) if run.kind is FULL]
    assert session.get_one(Run, second.id).n_labels == 60


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


def test_a_correction_changes_the_digest_and_leads_to_a_new_run(
    session: Session, campaign: Campaign
) -> None:
    """Trap 3: the number of labeled objects stays the same."""
    label_many(session, campaign, range(19))
    wrong = write_label(session, campaign, object_name(19), z=3.0)
    full = serve_full_run(session, campaign)
    write_label(session, campaign, object_name(19), z=0.3, supersedes_id=wrong)
    age_labels(session, 61)
    (planned,) = plan_due(session, campaign.id)
    head = session.get_one(Run, planned.id)
    assert head.n_labels == full.n_labels == 20
    assert head.head_digest != full.head_digest


def test_a_label_withdrawn_by_a_correction_leads_to_a_new_run_without_it(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(19))
    doubtful = write_label(session, campaign, object_name(19))
    serve_full_run(session, campaign)
    write_label(session, campaign, object_name(19), quality=1, supersedes_id=doubtful)
    age_labels(session, 61)
    (planned,) = plan_due(session, campaign.id)
    assert session.get_one(Run, planned.id).n_labels == 19


@pytest.mark.parametrize(
    "state", [RunState.REFUSED, RunState.FAILED, RunState.CANCELED]
)
def test_labels_that_a_run_has_failed_on_are_not_tried_again_and_again(
    session: Session, campaign: Campaign, state: RunState
) -> None:
    label_many(session, campaign, range(25))
    (planned,) = plan_due(session, campaign.id)
    claiming.finish(session, claimed(session, planned.id), state)
    age_labels(session, 10_000)
    assert plan_due(session, campaign.id) == []
    label_many(session, campaign, range(25, 50))
    assert kinds(plan_due(session, campaign.id)) == [FULL]


def test_a_refused_head_run_is_not_repeated_on_the_same_labels(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    serve_full_run(session, campaign)
    label_many(session, campaign, range(20, 23))
    (planned,) = plan_due(session, campaign.id)
    claiming.finish(session, claimed(session, planned.id), RunState.REFUSED)
    age_labels(session, 100)
    assert plan_due(session, campaign.id) == []
    write_label(session, campaign, object_name(40))
    age_labels(session, 100)
    assert kinds(plan_due(session, campaign.id)) == [HEAD]


def test_two_opinions_on_one_object_are_one_labeled_object(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    write_label(session, campaign, object_name(1), labeler="second")
    run_id = plan(session, campaign, FULL)
    assert session.get_one(Run, run_id).n_labels == 20
    assert (
        session.scalars(
            select(TrainingLabel.role).where(TrainingLabel.run_id == run_id)
        ).all()
        == [TrainingRole.NETWORK] * 21
    )


def test_the_sets_of_a_run_are_frozen_by_role(
    session: Session, campaign: Campaign
) -> None:
    label_many(session, campaign, range(20))
    run = serve_full_run(session, campaign)
    before = run.head_digest
    write_label(session, campaign, object_name(30))
    after = planning.freeze_training_set(session, run, TrainingRole.HEAD)
    assert before == run.label_digest != after
    roles = session.scalars(
        select(TrainingLabel.role).where(TrainingLabel.run_id == run.id)
    ).all()
    assert (roles.count(TrainingRole.NETWORK), roles.count(TrainingRole.HEAD)) == (
        20,
        21,
    )


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


def test_the_same_labels_in_another_campaign_have_the_same_seed(
    session: Session, campaign: Campaign
) -> None:
    other = make_campaign(session, name="other", retrain=POLICY)
    seeds = set()
    for one in (campaign, other):
        label_many(session, one, range(20))
        seeds.add(session.get_one(Run, plan(session, one, FULL)).seed)
    assert len(seeds) == 1


def test_a_digest_depends_on_the_labels_and_not_on_their_order() -> None:
    pairs = [("b", 2), ("a", 1), ("a", 3)]
    assert label_digest(pairs) == label_digest(sorted(pairs))
    assert label_digest(pairs) != label_digest([("b", 2), ("a", 1), ("a", 4)])
    assert label_digest([("a", 12)]) != label_digest([("a", 1), ("a", 2)])
    assert label_digest([]) != label_digest([("a", 1)])

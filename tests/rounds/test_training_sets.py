"""What a run is frozen to, and what has to change before another one is due."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.rounds import claiming, planning
from al_service.rounds.planning import label_digest, plan, plan_due
from db.tables import Campaign, Run, TrainingLabel
from db.vocabulary import RunState, TrainingRole
from tests.db.factories import (
    age_labels,
    claimed,
    label_many,
    make_campaign,
    object_name,
    publish_run,
    serve_full_run,
    write_label,
)
from tests.rounds.test_planning import FULL, HEAD, POLICY, kinds
from tests.rounds.test_planning import campaign as campaign  # a fixture


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

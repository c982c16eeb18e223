import math
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from al_service.errors import Conflict, InvalidLabels, NotFound
from al_service.rounds import leasing
from al_service.rounds.campaigns import CampaignChange, change_campaign
from al_service.rounds.labeling import (
    NewLabel,
    StoredLabel,
    current_labels,
    list_labels,
    tell,
)
from db.repositories import labels as stored_labels
from db.tables import Campaign, Label, Lease
from db.vocabulary import CampaignState, LeaseState
from tests.db.factories import make_campaign, make_pool, object_name, write_label


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session, n_pool=8, n_evaluation=4, n_excluded=1)
    return make_campaign(
        session, targets=("z", "sfr_p16", "sfr_median", "sfr_p84"), evaluation_size=2
    )


def say(
    session: Session,
    campaign: Campaign,
    *labels: NewLabel,
    labeler: str = "ann",
    batch_id: int | None = None,
) -> list[StoredLabel]:
    return tell(session, campaign, labeler=labeler, batch_id=batch_id, labels=labels)


def z(number: int, value: float = 0.1, **more: object) -> NewLabel:
    return NewLabel(object_name(number), {"z": value}, **more)  # type: ignore[arg-type] # any field


def refusals(
    session: Session, campaign: Campaign, *labels: NewLabel, labeler: str = "ann"
) -> dict[str, str]:
    with pytest.raises(InvalidLabels) as refused:
        say(session, campaign, *labels, labeler=labeler)
    return {problem.where: problem.message for problem in refused.value.problems}


def test_labels_come_back_in_their_order_as_they_were_stored(
    session: Session, campaign: Campaign
) -> None:
    told = say(
        session,
        campaign,
        z(5, 0.5, errors={"z": 0.01}, note="weak [OII]", quality=3),
        z(2, 0.2, source="BOSS"),
    )
    assert [label.object_id for label in told] == [object_name(5), object_name(2)]
    first, second = told
    assert (first.values, first.errors, first.quality) == ({"z": 0.5}, {"z": 0.01}, 3)
    assert (first.note, first.source, second.source) == ("weak [OII]", "api", "BOSS")
    assert (first.labeler, first.late, first.batch_id) == ("ann", False, None)
    assert list_labels(session, campaign) == sorted(told, key=lambda label: label.id)


def test_telling_a_batch_closes_it(session: Session, campaign: Campaign) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=4)
    labels = [NewLabel(item.object_id, {"z": 0.1}) for item in batch.items]
    told = say(session, campaign, *labels, batch_id=batch.id)
    assert {label.batch_id for label in told} == {batch.id}
    assert not any(label.late for label in told)
    assert leasing.show(session, batch.id).state is LeaseState.LABELED


def test_a_label_finds_the_batch_it_answers(
    session: Session, campaign: Campaign
) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=1)
    name = batch.items[0].object_id
    (told,) = say(session, campaign, NewLabel(name, {"z": 0.1}))
    assert told.batch_id == batch.id


def test_an_object_that_cannot_be_labeled_leaves_the_queue(
    session: Session, campaign: Campaign
) -> None:
    (told,) = say(session, campaign, NewLabel(object_name(1), {}, quality=0))
    assert told.values == {}
    handed_out = leasing.ask(session, campaign, labeler="bob", size=100)
    assert object_name(1) not in {item.object_id for item in handed_out.items}


def test_a_late_label_is_kept_and_flagged(session: Session, campaign: Campaign) -> None:
    """Pain: labels of an observer whose time ran out were dropped."""
    batch = leasing.ask(session, campaign, labeler="ann", size=1)
    long_ago = Lease.opened_at - timedelta(days=2)
    session.execute(
        update(Lease).values(
            opened_at=long_ago, expires_at=long_ago + timedelta(days=1)
        )
    )
    leasing.expire(session)
    again = leasing.ask(session, campaign, labeler="bob", size=1)
    name = batch.items[0].object_id
    assert again.items[0].object_id == name
    (late,) = say(session, campaign, NewLabel(name, {"z": 0.3}), batch_id=batch.id)
    assert (late.late, late.batch_id) == (True, batch.id)
    # The one who has it now lost it to this label, and may still tell.
    (second,) = say(
        session,
        campaign,
        NewLabel(name, {"z": 0.31}),
        batch_id=again.id,
        labeler="bob",
    )
    assert second.late
    assert leasing.show(session, again.id).state is LeaseState.LABELED


def test_a_label_after_its_time_is_late_even_before_the_sweep(
    session: Session, campaign: Campaign
) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=1)
    long_ago = Lease.opened_at - timedelta(days=2)
    session.execute(
        update(Lease).values(
            opened_at=long_ago, expires_at=long_ago + timedelta(days=1)
        )
    )
    label = NewLabel(batch.items[0].object_id, {"z": 0.3})
    (late,) = say(session, campaign, label, batch_id=batch.id)
    assert late.late


def test_a_label_for_somebody_else_s_batch_is_kept_and_flagged(
    session: Session, campaign: Campaign
) -> None:
    """It was stored as if its labeler had been asked."""
    batch = leasing.ask(session, campaign, labeler="ann", size=2)
    first, second = (NewLabel(item.object_id, {"z": 0.3}) for item in batch.items)
    (helped,) = say(session, campaign, first, labeler="bob", batch_id=batch.id)
    assert (helped.late, helped.batch_id) == (True, batch.id)
    (unasked,) = say(session, campaign, second, labeler="bob")
    assert (unasked.late, unasked.batch_id) == (False, None)


def test_the_same_label_told_twice_is_stored_once(
    session: Session, campaign: Campaign
) -> None:
    label = z(1, 0.25, errors={"z": 0.001}, note="sure")
    assert say(session, campaign, label) == say(session, campaign, label)
    assert len(list_labels(session, campaign)) == 1


def test_another_value_has_to_say_which_label_it_corrects(
    session: Session, campaign: Campaign
) -> None:
    (first,) = say(session, campaign, z(1, 0.1))
    refused = refusals(session, campaign, z(1, 0.2))
    assert list(refused) == ["labels[0].supersedes"]
    assert f"label {first.id}" in refused["labels[0].supersedes"]
    (second,) = say(session, campaign, z(1, 0.2, supersedes=first.id))
    assert second.supersedes_id == first.id
    history = list_labels(session, campaign)
    assert [label.superseded_by for label in history] == [second.id, None]
    assert [label.label_id for label in current_labels(session, campaign.id)] == [
        second.id
    ]


def test_a_correction_told_twice_is_stored_once(
    session: Session, campaign: Campaign
) -> None:
    (first,) = say(session, campaign, z(1, 0.1))
    correction = z(1, 0.2, supersedes=first.id)
    assert say(session, campaign, correction) == say(session, campaign, correction)


def test_a_label_that_was_corrected_is_not_corrected_again(
    session: Session, campaign: Campaign
) -> None:
    (first,) = say(session, campaign, z(1, 0.1))
    (second,) = say(session, campaign, z(1, 0.2, supersedes=first.id))
    refused = refusals(session, campaign, z(1, 0.3, supersedes=first.id))
    assert f"by label {second.id}" in refused["labels[0].supersedes"]


def test_a_correction_of_another_objects_label_is_refused(
    session: Session, campaign: Campaign
) -> None:
    (first,) = say(session, campaign, z(1, 0.1))
    refused = refusals(session, campaign, z(2, 0.3, supersedes=first.id))
    assert "not one of" in refused["labels[0].supersedes"]


def test_somebody_else_may_correct_and_both_names_stay(
    session: Session, campaign: Campaign
) -> None:
    (first,) = say(session, campaign, z(1, 0.1), labeler="ann")
    say(session, campaign, z(1, 0.2, supersedes=first.id), labeler="expert")
    assert [label.labeler for label in list_labels(session, campaign)] == [
        "ann",
        "expert",
    ]
    refused = refusals(session, campaign, z(1, 0.3), labeler="ann")
    assert list(refused) == ["labels[0].supersedes"]


def test_an_unasked_opinion_of_somebody_else_is_kept_beside_the_first(
    session: Session, campaign: Campaign
) -> None:
    say(session, campaign, z(1, 0.1), labeler="ann")
    say(session, campaign, z(1, 0.2), labeler="bob")
    assert len(current_labels(session, campaign.id)) == 2


@pytest.mark.parametrize(
    ("label", "where"),
    [
        (NewLabel("SDSS J0", {"z": 0.1}), "object_id"),
        (NewLabel(object_name(12), {"z": 0.1}), "object_id"),  # excluded
        (NewLabel(object_name(1), {"redshift": 0.1}), "values.redshift"),
        (NewLabel(object_name(1), {"sfr_avg": 0.1}), "values.sfr_avg"),
        (NewLabel(object_name(1), {"z": 8.1}), "values.z"),
        (NewLabel(object_name(1), {"z": -0.02}), "values.z"),
        (NewLabel(object_name(1), {"z": math.nan}), "values.z"),
        (NewLabel(object_name(1), {"z": math.inf}), "values.z"),
        (NewLabel(object_name(1), {"z": -9999.0}), "values.z"),
        (NewLabel(object_name(1), {"sfr_p16": 0.2, "sfr_p84": 0.1}), "values.sfr_p84"),
        (NewLabel(object_name(1), {"z": 0.1}, {"z": -1.0}), "errors.z"),
        (NewLabel(object_name(1), {"z": 0.1}, {"z": 0.0}), "errors.z"),
        (NewLabel(object_name(1), {"z": 0.1}, {"z": math.nan}), "errors.z"),
        (NewLabel(object_name(1), {"z": 0.1}, {"sfr_p16": 1.0}), "errors.sfr_p16"),
        (NewLabel(object_name(1), {}), "values"),
        (NewLabel(object_name(1), {"z": 0.1}, quality=5), "quality"),
    ],
)
def test_a_bad_label_is_named(
    session: Session, campaign: Campaign, label: NewLabel, where: str
) -> None:
    assert list(refusals(session, campaign, label)) == [f"labels[0].{where}"]


def test_every_bad_label_is_named_and_none_is_stored(
    session: Session, campaign: Campaign
) -> None:
    refused = refusals(
        session,
        campaign,
        z(1),
        z(2, 9.0),
        NewLabel("nowhere", {"z": 0.1}),
        z(3),
        z(3),
        NewLabel(object_name(4), {"z": 99.0, "sfr_p16": 99.0}),
    )
    assert set(refused) == {
        "labels[1].values.z",
        "labels[2].object_id",
        "labels[4].object_id",
        "labels[5].values.z",
        "labels[5].values.sfr_p16",
    }
    assert list_labels(session, campaign) == []


def test_an_evaluation_object_outside_the_sample_is_held_out(
    session: Session, campaign: Campaign
) -> None:
    sample = {
        item.object_id
        for item in leasing.ask(session, campaign, labeler="bob", size=2).items
    }
    examined = {object_name(number) for number in range(8, 12)}
    assert sample < examined
    outside = next(iter(examined - sample))
    refused = refusals(session, campaign, NewLabel(outside, {"z": 0.1}))
    assert "held out" in refused["labels[0].object_id"]
    say(session, campaign, NewLabel(next(iter(sample)), {"z": 0.1}))


def test_where_the_pool_knows_labels_every_evaluation_object_is_held_out(
    session: Session,
) -> None:
    make_pool(session, name="known", known_targets=["z"])
    campaign = make_campaign(session, pool="known", evaluation_size=10)
    refused = refusals(session, campaign, z(35))
    assert "held out" in refused["labels[0].object_id"]


def test_a_label_for_a_batch_it_does_not_belong_to_is_refused(
    session: Session, campaign: Campaign
) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=2)
    held = {item.object_id for item in batch.items}
    other = next(n for n in range(8) if object_name(n) not in held)
    with pytest.raises(InvalidLabels, match=f"is not in batch {batch.id}"):
        say(session, campaign, z(other), batch_id=batch.id)
    with pytest.raises(NotFound, match="batch"):
        say(session, campaign, z(other), batch_id=4711)


def test_a_paused_campaign_takes_labels_and_a_finished_one_does_not(
    session: Session, campaign: Campaign
) -> None:
    change_campaign(session, campaign.id, CampaignChange(state=CampaignState.PAUSED))
    say(session, campaign, z(1))
    change_campaign(session, campaign.id, CampaignChange(state=CampaignState.FINISHED))
    with pytest.raises(Conflict, match="finished"):
        say(session, campaign, z(2))


def test_a_label_by_plain_sql_and_one_told_live_in_one_history(
    session: Session, campaign: Campaign
) -> None:
    first = write_label(session, campaign, object_name(1), labeler="ann")
    assert say(session, campaign, z(1, 0.1))[0].id == first
    say(session, campaign, z(1, 0.2, supersedes=first))
    assert session.scalars(select(Label.supersedes_id).order_by(Label.id)).all() == [
        None,
        first,
    ]


def test_labels_are_listed_page_by_page(session: Session, campaign: Campaign) -> None:
    told = say(session, campaign, *(z(number) for number in range(7)))
    ids = [label.id for label in told]
    first = list_labels(session, campaign, limit=3)
    rest = list_labels(session, campaign, first[-1].id, 100)
    assert [label.id for label in first + rest] == sorted(ids)


def test_more_objects_than_a_statement_has_parameters_are_looked_up(
    session: Session, campaign: Campaign
) -> None:
    """PostgreSQL's protocol counts bound parameters in 16 bits."""
    number = 2**16 + 1
    names = [object_name(n) for n in range(number)]
    found = stored_labels.find_objects(session, campaign.id, campaign.pool_id, names)
    assert object_name(0) in found
    say(session, campaign, z(0))
    numbers = [found[object_name(0)].sky_object_id, *range(10**6, 10**6 + number)]
    told = stored_labels.labels_of_objects(session, campaign.id, numbers)
    assert list(told) == numbers[:1]

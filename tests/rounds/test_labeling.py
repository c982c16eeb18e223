from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from al_service.errors import Conflict
from al_service.rounds import leasing
from al_service.rounds.campaigns import CampaignChange, change_campaign
from al_service.rounds.labeling import (
    NewLabel,
    list_labels,
)
from db.repositories import labels as stored_labels
from db.tables import Campaign, Lease
from db.vocabulary import CampaignState, LeaseState
from tests.db.factories import object_name
from tests.rounds.telling import campaign as campaign  # a fixture
from tests.rounds.telling import say, z


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


def test_a_label_with_an_absurd_error_is_no_opinion_against_itself(
    session: Session, campaign: Campaign
) -> None:
    """JSON gave 1e300 back as an integer: the label was refused for contradicting a
    label that nobody had told, namely itself."""
    label = z(1, 0.25, errors={"z": 1e300})
    assert say(session, campaign, label) == say(session, campaign, label)


def test_a_paused_campaign_takes_labels_and_a_finished_one_does_not(
    session: Session, campaign: Campaign
) -> None:
    change_campaign(session, campaign.id, CampaignChange(state=CampaignState.PAUSED))
    say(session, campaign, z(1))
    change_campaign(session, campaign.id, CampaignChange(state=CampaignState.FINISHED))
    with pytest.raises(Conflict, match="finished"):
        say(session, campaign, z(2))


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

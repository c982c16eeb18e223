"""Labels are never changed: a correction names what it supersedes."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from al_service.rounds.labeling import (
    current_labels,
    list_labels,
)
from db.tables import Campaign, Label
from tests.db.factories import object_name, write_label
from tests.rounds.telling import campaign as campaign  # a fixture
from tests.rounds.telling import refusals, say, z


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

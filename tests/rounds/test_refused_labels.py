"""A label that cannot be is refused with its place, and nothing is stored."""

import math

import pytest
from sqlalchemy.orm import Session

from al_service.errors import InvalidLabels, NotFound
from al_service.rounds import leasing
from al_service.rounds.labeling import (
    NewLabel,
    list_labels,
)
from db.tables import Campaign
from tests.db.factories import make_campaign, make_pool, object_name
from tests.rounds.telling import campaign as campaign  # a fixture
from tests.rounds.telling import refusals, say, z


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

"""Labels beside what the scan says of the same spectrum, whoever wrote them."""

import math

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from al_service.features.scan.candidates import DISTINCT, DISTINCT_QUASAR
from al_service.rounds.labeling import NewLabel, list_labels, tell
from al_service.rounds.progress import campaign_status
from db.repositories import label_checks
from db.repositories.label_checks import APART, APART_QUASAR, SURE
from db.tables import Campaign, RedshiftScan
from tests.db.factories import id_of, make_campaign, make_pool, object_name, write_label


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session)
    return make_campaign(session)


def scanned(
    session: Session,
    campaign: Campaign,
    number: int,
    *,
    z: float = 0.1,
    confidence: float = 0.99,
    spectral_class: str = "GALAXY",
) -> None:
    session.add(
        RedshiftScan(
            sky_object_id=id_of(session, campaign, object_name(number)),
            z=z,
            z_error=1e-4,
            confidence=confidence,
            gain=100.0,
            spectral_class=spectral_class,
        )
    )
    session.flush()


def flagged(session: Session, campaign: Campaign) -> list[str]:
    return [one.object_id for one in list_labels(session, campaign, flagged=True)]


def test_the_service_and_the_scan_agree_on_when_two_redshifts_are_two() -> None:
    assert (APART, APART_QUASAR) == (DISTINCT, DISTINCT_QUASAR)


def test_a_told_label_comes_back_with_what_the_scan_says(
    session: Session, campaign: Campaign
) -> None:
    scanned(session, campaign, 0, z=0.1)
    (stored,) = tell(
        session,
        campaign,
        labeler="anna",
        batch_id=None,
        labels=[NewLabel(object_name(0), {"z": 0.21})],
    )
    assert stored.check is not None
    assert (stored.check.scan_z, stored.check.scan_class) == (0.1, "GALAXY")
    assert stored.check.confidence == 0.99
    assert stored.check.dz == pytest.approx(0.1)
    assert stored.check.disagrees
    assert flagged(session, campaign) == [object_name(0)]


def test_a_label_by_plain_sql_is_flagged_as_any_other(
    session: Session, campaign: Campaign
) -> None:
    scanned(session, campaign, 0)
    write_label(session, campaign, object_name(0), z=0.3)
    assert flagged(session, campaign) == [object_name(0)]
    assert campaign_status(session, campaign).counts.flagged == 1


def test_a_label_that_was_there_before_the_scan_is_flagged(
    session: Session, campaign: Campaign
) -> None:
    write_label(session, campaign, object_name(0), z=0.3)
    assert flagged(session, campaign) == []
    scanned(session, campaign, 0)
    assert flagged(session, campaign) == [object_name(0)]


@pytest.mark.parametrize(
    ("spectral_class", "limit"), [("GALAXY", APART), ("QSO", APART_QUASAR)]
)
@pytest.mark.parametrize("side", [-1, 1])
def test_the_limit_is_taken_over_one_plus_z_on_either_side(
    session: Session,
    campaign: Campaign,
    spectral_class: str,
    limit: float,
    side: int,
) -> None:
    for number, share in ((0, 0.99), (1, 1.01)):
        scanned(session, campaign, number, z=1.0, spectral_class=spectral_class)
        z = 1.0 + side * share * limit * 2.0
        write_label(session, campaign, object_name(number), z=z)
    assert flagged(session, campaign) == [object_name(1)]


def test_a_scan_that_is_not_sure_flags_nothing_but_is_shown(
    session: Session, campaign: Campaign
) -> None:
    scanned(session, campaign, 0, confidence=math.nextafter(SURE, 0.0))
    scanned(session, campaign, 1, confidence=SURE)
    for number in (0, 1):
        write_label(session, campaign, object_name(number), z=0.5)
    assert flagged(session, campaign) == [object_name(1)]
    unsure = list_labels(session, campaign)[0].check
    assert unsure is not None
    assert not unsure.disagrees


def test_an_object_without_a_scan_has_no_check(
    session: Session, campaign: Campaign
) -> None:
    write_label(session, campaign, object_name(0))
    (label,) = list_labels(session, campaign)
    assert label.check is None


@pytest.mark.parametrize(
    "values", ["{}", '{"sfr_avg": 1}', '{"z": "0.3"}', '{"z": null}', '{"z": 1e400}']
)
def test_a_label_that_says_no_redshift_has_no_check_whatever_else_it_says(
    session: Session, campaign: Campaign, values: str
) -> None:
    scanned(session, campaign, 0)
    write_values(session, campaign, values)
    (label,) = list_labels(session, campaign)
    assert label.check is None
    assert flagged(session, campaign) == []


def write_values(session: Session, campaign: Campaign, values: str) -> None:
    """Write a label of the first object past every check of ours."""
    session.execute(
        text(
            "INSERT INTO label (campaign_id, sky_object_id, values, quality, labeler)"
            " VALUES (:campaign, :object, CAST(:values AS jsonb), 0, 'pipeline')"
        ),
        {
            "campaign": campaign.id,
            "object": id_of(session, campaign, object_name(0)),
            "values": values,
        },
    )


def test_a_redshift_too_small_for_a_float64_is_compared_as_zero(
    session: Session, campaign: Campaign
) -> None:
    """Labels of its campaign could not be listed."""
    scanned(session, campaign, 0)
    write_values(session, campaign, '{"z": 1e-400}')

    (label,) = list_labels(session, campaign)

    assert label.check is not None
    assert label.check.dz == pytest.approx(-0.1 / 1.1)


def test_a_corrected_label_needs_no_second_look(
    session: Session, campaign: Campaign
) -> None:
    scanned(session, campaign, 0)
    first = write_label(session, campaign, object_name(0), z=0.3)
    write_label(session, campaign, object_name(0), z=0.1, supersedes_id=first)
    assert flagged(session, campaign) == []
    assert label_checks.count_flagged(session, campaign.id) == 0
    wrong, right = list_labels(session, campaign)
    assert wrong.check is not None
    assert wrong.check.disagrees
    assert right.check is not None
    assert not right.check.disagrees


def test_flagged_labels_come_in_pages(session: Session, campaign: Campaign) -> None:
    for number in range(4):
        scanned(session, campaign, number)
        write_label(session, campaign, object_name(number), z=0.1 + 0.2 * (number % 2))
    first = list_labels(session, campaign, limit=1, flagged=True)
    rest = list_labels(session, campaign, first[0].id, flagged=True)
    names = [one.object_id for one in [*first, *rest]]
    assert names == [object_name(1), object_name(3)]

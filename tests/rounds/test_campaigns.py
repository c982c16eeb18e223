from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pydantic import ValidationError
from sqlalchemy.orm import Session

from al_service.errors import Conflict, InvalidInput, NotFound
from al_service.rounds.campaigns import (
    CampaignChange,
    NewCampaign,
    RetrainPolicy,
    change_campaign,
    create_campaign,
    find_campaign,
    list_campaigns,
)
from al_service.rounds.policy import Threshold, policy_of
from al_service.survey.targets import DEFAULT_TARGETS
from db.vocabulary import CampaignState
from tests.conftest import Database
from tests.db.factories import make_campaign, make_pool


def new(**given: object) -> NewCampaign:
    return NewCampaign.model_validate({"name": "survey", "pool": "sky"} | given)


def test_a_pool_without_known_labels_is_asked_for_all_nine_targets(
    session: Session,
) -> None:
    make_pool(session)
    assert tuple(create_campaign(session, new()).targets) == DEFAULT_TARGETS


def test_a_pool_with_known_labels_is_asked_for_those(session: Session) -> None:
    make_pool(session, known_targets=["z"])
    campaign = create_campaign(session, new())
    assert campaign.targets == ["z"]
    assert campaign.evaluation_size == 0


def test_targets_the_pool_does_not_know_are_examined_on_a_sample(
    session: Session,
) -> None:
    make_pool(session, known_targets=["z"])
    campaign = create_campaign(session, new(targets=("sfr_avg",), evaluation_size=7))
    assert campaign.evaluation_size == 7


def test_a_target_the_pool_does_not_know_keeps_the_sample_beside_one_it_knows(
    session: Session,
) -> None:
    """Any known target turned the sample off: the other one was never examined."""
    make_pool(session, known_targets=["z"])
    campaign = create_campaign(
        session, new(targets=("z", "sfr_avg"), evaluation_size=7)
    )
    assert campaign.evaluation_size == 7


def test_an_unknown_target_is_refused(session: Session) -> None:
    make_pool(session)
    with pytest.raises(InvalidInput, match="'mass'"):
        create_campaign(session, new(targets=("z", "mass")))


def test_a_pool_that_does_not_exist_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="pool"):
        create_campaign(session, new())


def test_a_name_is_taken_once(session: Session) -> None:
    make_pool(session)
    create_campaign(session, new())
    with pytest.raises(Conflict, match="exists already"):
        create_campaign(session, new())


def test_a_name_is_taken_once_by_two_at_the_same_time(database: Database) -> None:
    with database.sessions.begin() as session:
        make_pool(session)
    together = Barrier(2)

    def create(_: int) -> str:
        try:
            with database.sessions.begin() as session:
                together.wait()
                create_campaign(session, new())
        except Conflict:
            return "taken"
        return "created"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(create, range(2))) == ["created", "taken"]


@pytest.mark.parametrize("name", ["", "17", "a b", "ü", "x" * 101, "a/b"])
def test_a_name_that_no_url_can_carry_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        new(name=name)


def test_a_campaign_is_found_by_name_and_by_number(session: Session) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    assert find_campaign(session, "survey") is campaign
    assert find_campaign(session, campaign.id) is campaign
    assert find_campaign(session, str(campaign.id)) is campaign
    for missing in ("nowhere", 4711, "4711", "9" * 40, "٣"):
        with pytest.raises(NotFound, match="campaign"):
            find_campaign(session, missing)


def test_campaigns_are_listed_page_by_page(session: Session) -> None:
    make_pool(session)
    made = [make_campaign(session, name=name).id for name in ("a", "b", "c")]
    first = list_campaigns(session, None, 2)
    assert [c.id for c in first] == made[:2]
    assert [c.id for c in list_campaigns(session, first[-1].id, 2)] == made[2:]


def test_only_what_is_set_changes(session: Session) -> None:
    make_pool(session)
    campaign = make_campaign(session, budget=10, random_share=0.3)
    changed = change_campaign(
        session, campaign.id, CampaignChange(state=CampaignState.PAUSED)
    )
    assert (changed.state, changed.budget) == (CampaignState.PAUSED, 10)
    assert changed.random_share == 0.3
    unlimited = CampaignChange.model_validate({"budget": None, "random_share": 0.0})
    changed = change_campaign(session, campaign.id, unlimited)
    assert (changed.state, changed.budget) == (CampaignState.PAUSED, None)
    assert changed.random_share == 0.0


def test_a_policy_is_kept_as_it_was_given(session: Session) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    assert policy_of(campaign) == RetrainPolicy()
    policy = RetrainPolicy(full=Threshold(labels=7, seconds=1.5))
    change_campaign(session, campaign.id, CampaignChange(retrain=policy))
    assert policy_of(campaign) == policy
    assert campaign.retrain["version"] == 1


def test_a_finished_campaign_is_closed_for_good(session: Session) -> None:
    make_pool(session)
    campaign = make_campaign(session)
    change_campaign(session, campaign.id, CampaignChange(state=CampaignState.FINISHED))
    with pytest.raises(Conflict, match="finished"):
        change_campaign(
            session, campaign.id, CampaignChange(state=CampaignState.ACTIVE)
        )


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        new(colour="red")


def test_an_interest_that_no_run_could_heed_is_refused_at_once(
    session: Session,
) -> None:
    make_pool(session, known_targets=["z"])
    foreign = {"name": "epig", "interest": [{"target": "sfr_avg", "weight": 2}]}

    with pytest.raises(InvalidInput, match="expected interest in z, found sfr_avg"):
        create_campaign(session, new(strategy=foreign))
    with pytest.raises(InvalidInput, match="positive weight"):
        create_campaign(session, new(strategy={"target_weights": {"z": 0}}))


@pytest.mark.parametrize("allowed", [["spectrum"], ["spectrum", "image"], []])
def test_a_model_that_could_look_at_nothing_of_the_pool_is_refused_at_once(
    session: Session, allowed: list[str]
) -> None:
    """It was trained all the same, and gave every object the same redshift."""
    make_pool(session)
    with pytest.raises(InvalidInput, match=r"\(photometry\), found (spectrum|none)"):
        create_campaign(session, new(model={"modalities": allowed}))
    made = create_campaign(session, new(model={"modalities": ["photometry"]}))
    assert made.model["modalities"] == ["photometry"]

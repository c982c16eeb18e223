import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from al_service.errors import (
    BudgetSpent,
    CampaignNotActive,
    InvalidInput,
    LeaseClosed,
    NotFound,
)
from al_service.randomness import random_key, unit_hash
from al_service.rounds import leasing
from al_service.rounds.campaigns import CampaignChange, change_campaign
from db.repositories import campaigns
from db.repositories.predictions import NewPrediction, replace_predictions
from db.tables import Campaign, Lease
from db.vocabulary import CampaignState, LeaseState
from tests.db.factories import (
    id_of,
    make_campaign,
    make_pool,
    object_name,
    rank_all,
    write_label,
)

SAID = {"z": {"mean": 0.1, "epistemic": 0.01, "aleatoric": 0.02}}


@pytest.fixture
def campaign(session: Session) -> Campaign:
    make_pool(session)
    return make_campaign(session)


def names(batch: leasing.Batch) -> list[str]:
    return [item.object_id for item in batch.items]


def reasons(batch: leasing.Batch) -> list[str]:
    return [item.reason for item in batch.items]


def let_expire(session: Session, batch: leasing.Batch) -> None:
    long_ago = Lease.opened_at - timedelta(days=2)
    session.execute(
        update(Lease)
        .where(Lease.id == batch.id)
        .values(opened_at=long_ago, expires_at=long_ago + timedelta(days=1))
    )


def test_the_ranking_is_walked_from_its_best_place(
    session: Session, campaign: Campaign
) -> None:
    rank_all(session, campaign, numbers=[7, 3, 5, 1])
    first = leasing.ask(session, campaign, labeler="ann", size=3)
    second = leasing.ask(session, campaign, labeler="bob", size=1)
    assert names(first) == [object_name(7), object_name(3), object_name(5)]
    assert [item.rank for item in first.items] == [0, 1, 2]
    assert reasons(first) == ["lcmd"] * 3
    assert names(second) == [object_name(1)]
    assert not first.exhausted


def test_a_campaign_without_a_ranking_hands_out_the_random_sample(
    session: Session, campaign: Campaign
) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=5)
    keys = sorted((random_key(campaign.seed, object_name(n)), n) for n in range(30))
    assert names(batch) == [object_name(number) for _, number in keys[:5]]
    assert reasons(batch) == ["random"] * 5
    assert batch.run_id is None
    assert [item.prediction for item in batch.items] == [None] * 5


def test_a_ranking_run_dry_is_followed_by_the_random_sample(
    session: Session, campaign: Campaign
) -> None:
    rank_all(session, campaign, numbers=[4])
    batch = leasing.ask(session, campaign, labeler="ann", size=3)
    assert reasons(batch) == ["lcmd", "random", "random"]
    assert not batch.exhausted


def test_slots_are_random_where_the_hash_says_so(session: Session) -> None:
    make_pool(session)
    campaign = make_campaign(session, random_share=0.5, seed=11)
    rank_all(session, campaign, numbers=range(30))
    batch = leasing.ask(session, campaign, labeler="ann", size=10)
    expected = [
        "random" if unit_hash(11, batch.id, slot) < 0.5 else "lcmd"
        for slot in range(10)
    ]
    assert reasons(batch) == expected
    keys = sorted((random_key(11, object_name(n)), n) for n in range(30))
    drawn = [i.object_id for i in batch.items if i.reason == "random"]
    assert drawn == [object_name(n) for _, n in keys[: len(drawn)]]


def test_random_slots_are_as_frequent_as_their_share_in_batches_of_one() -> None:
    random = sum(unit_hash(0, lease, 0) < 0.1 for lease in range(20_000))
    assert 1_830 < random < 2_170  # binomial, four standard deviations


def test_the_evaluation_sample_is_asked_for_first(session: Session) -> None:
    make_pool(session, n_evaluation=10)
    campaign = make_campaign(session, evaluation_size=3)
    rank_all(session, campaign, numbers=range(30))
    batch = leasing.ask(session, campaign, labeler="ann", size=5)
    assert reasons(batch) == ["evaluation"] * 3 + ["lcmd"] * 2
    again = leasing.ask(session, campaign, labeler="bob", size=2)
    assert reasons(again) == ["lcmd"] * 2


def predict(session: Session, campaign: Campaign, number: int, run_id: int) -> None:
    of = id_of(session, campaign, object_name(number))
    replace_predictions(
        session,
        campaign.id,
        run_id=run_id,
        predictions=[NewPrediction(of, 2.5, json.dumps(SAID))],
    )


def test_an_item_carries_the_prediction_of_its_moment(
    session: Session, campaign: Campaign
) -> None:
    run_id = rank_all(session, campaign, numbers=[4, 5])
    predict(session, campaign, 4, run_id)
    batch = leasing.ask(session, campaign, labeler="ann", size=2)
    replace_predictions(session, campaign.id, run_id=run_id, predictions=[])
    shown = leasing.show(session, batch.id)
    assert shown == batch
    assert [item.prediction for item in shown.items] == [SAID, None]
    assert shown.run_id == run_id


def test_an_item_carries_no_prediction_of_a_run_that_its_batch_does_not_name(
    session: Session, campaign: Campaign
) -> None:
    """Published between the walk along the old order and the note of what was given."""
    older = rank_all(session, campaign, numbers=[4])
    newer = rank_all(session, campaign, numbers=[5])
    predict(session, campaign, 4, newer)
    campaigns.serve(session, campaign.id, older)
    item = leasing.ask(session, campaign, labeler="ann", size=1).items[0]
    assert (item.object_id, item.rank, item.prediction) == (object_name(4), 0, None)


def test_the_end_of_the_pool_is_an_answer_and_not_an_error(
    session: Session, campaign: Campaign
) -> None:
    last = leasing.ask(session, campaign, labeler="ann", size=100)
    nothing = leasing.ask(session, campaign, labeler="bob", size=100)
    assert (len(last.items), last.exhausted) == (30, True)
    assert (len(nothing.items), nothing.exhausted) == (0, True)


def test_labeled_objects_are_not_served_again(
    session: Session, campaign: Campaign
) -> None:
    rank_all(session, campaign, numbers=range(30))
    for number in range(28):
        write_label(session, campaign, object_name(number))
    batch = leasing.ask(session, campaign, labeler="ann", size=10)
    assert names(batch) == [object_name(28), object_name(29)]


def test_an_expired_lease_gives_its_objects_back_in_the_sweep(
    session: Session, campaign: Campaign
) -> None:
    rank_all(session, campaign, numbers=[1, 2, 3])
    batch = leasing.ask(session, campaign, labeler="ann", size=3)
    write_label(session, campaign, object_name(1), labeler="ann")
    assert leasing.expire(session) == 0
    let_expire(session, batch)
    assert leasing.expire(session) == 1
    assert leasing.show(session, batch.id).state is LeaseState.EXPIRED
    again = leasing.ask(session, campaign, labeler="bob", size=2)
    assert names(again) == [object_name(2), object_name(3)]
    assert reasons(again) == ["lcmd", "lcmd"]
    assert leasing.expire(session) == 0


def test_an_ask_that_comes_up_short_takes_expired_objects_itself(
    session: Session, campaign: Campaign
) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=30)
    let_expire(session, batch)
    again = leasing.ask(session, campaign, labeler="bob", size=10)
    assert len(again.items) == 10
    assert not again.exhausted


def test_a_batch_that_is_given_back_is_free_at_once(
    session: Session, campaign: Campaign
) -> None:
    rank_all(session, campaign, numbers=[1, 2])
    batch = leasing.ask(session, campaign, labeler="ann", size=2)
    assert leasing.release(session, batch.id) == 2
    assert leasing.show(session, batch.id).state is LeaseState.RELEASED
    assert names(leasing.ask(session, campaign, labeler="bob", size=2)) == names(batch)
    with pytest.raises(LeaseClosed, match="released"):
        leasing.release(session, batch.id)


def test_a_batch_is_renewed_from_now_on(session: Session, campaign: Campaign) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=1, lease_seconds=60)
    expires_at = leasing.renew(session, batch.id, lease_seconds=3600)
    assert timedelta(seconds=3500) < expires_at - batch.expires_at
    assert leasing.show(session, batch.id).expires_at == expires_at


def test_a_batch_whose_time_is_over_is_not_renewed_even_before_the_sweep(
    session: Session, campaign: Campaign
) -> None:
    batch = leasing.ask(session, campaign, labeler="ann", size=1)
    let_expire(session, batch)
    with pytest.raises(LeaseClosed, match="expired"):
        leasing.renew(session, batch.id)


@pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.FINISHED])
def test_a_campaign_that_is_not_active_hands_out_nothing(
    session: Session, campaign: Campaign, state: CampaignState
) -> None:
    change_campaign(session, campaign.id, CampaignChange(state=state))
    with pytest.raises(CampaignNotActive, match=state.value):
        leasing.ask(session, campaign, labeler="ann", size=1)


def test_a_budget_is_never_exceeded_and_released_objects_count_again(
    session: Session,
) -> None:
    make_pool(session)
    campaign = make_campaign(session, budget=5)
    write_label(session, campaign, object_name(1))
    batch = leasing.ask(session, campaign, labeler="ann", size=3)
    assert not batch.exhausted
    last = leasing.ask(session, campaign, labeler="bob", size=3)
    assert (len(last.items), last.exhausted) == (1, False), "the pool goes on"
    with pytest.raises(BudgetSpent, match="5 labels"):
        leasing.ask(session, campaign, labeler="bob", size=1)
    leasing.release(session, batch.id)
    assert len(leasing.ask(session, campaign, labeler="bob", size=9).items) == 3


def test_a_budget_counts_nothing_whose_time_is_over(session: Session) -> None:
    """Until the sweep came, an ask was refused although nobody held anything."""
    make_pool(session)
    campaign = make_campaign(session, budget=4)
    batch = leasing.ask(session, campaign, labeler="ann", size=3)
    let_expire(session, batch)
    assert len(leasing.ask(session, campaign, labeler="bob", size=9).items) == 4
    with pytest.raises(BudgetSpent, match="4 labels"):
        leasing.ask(session, campaign, labeler="ann", size=1)


@pytest.mark.parametrize("size", [0, -1, 10_001])
def test_an_impossible_size_is_refused(
    session: Session, campaign: Campaign, size: int
) -> None:
    with pytest.raises(InvalidInput, match="size"):
        leasing.ask(session, campaign, labeler="ann", size=size)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), 1e12])
def test_an_impossible_lease_time_is_refused(
    session: Session, campaign: Campaign, seconds: float
) -> None:
    with pytest.raises(InvalidInput, match="lease_seconds"):
        leasing.ask(session, campaign, labeler="ann", size=1, lease_seconds=seconds)


def test_a_batch_that_does_not_exist_is_not_found(session: Session) -> None:
    for verb in (leasing.show, leasing.renew, leasing.release):
        with pytest.raises(NotFound, match="batch"):
            verb(session, 4711)


def test_nothing_is_open_after_everything_was_swept(
    session: Session, campaign: Campaign
) -> None:
    for labeler in ("ann", "bob"):
        let_expire(session, leasing.ask(session, campaign, labeler=labeler, size=2))
    assert leasing.expire(session) == 2
    states = session.scalars(select(Lease.state)).all()
    assert set(states) == {LeaseState.EXPIRED}

import pytest
from sqlalchemy import String, literal, select
from sqlalchemy.orm import Session

from al_service.randomness import random_key
from db.repositories.candidates import random_key_of
from db.tables import Candidate, SkyObject
from db.vocabulary import Split
from tests.db.factories import make_campaign, make_pool


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
@pytest.mark.parametrize(
    "object_id", ["SDSS J082820.80+361148.9", "1237648720693755918", "ü → 星"]
)
def test_postgresql_and_python_compute_the_same_random_key(
    session: Session, seed: int, object_id: str
) -> None:
    key = select(random_key_of(seed, literal(object_id, String)))
    assert session.scalar(key) == random_key(seed, object_id)


def test_every_pool_object_is_a_candidate_with_its_key(session: Session) -> None:
    make_pool(session, n_pool=12, n_evaluation=5, n_excluded=3)
    campaign = make_campaign(session, seed=7, evaluation_size=0)
    rows = session.execute(
        select(SkyObject.object_id, SkyObject.split, Candidate.random_key)
        .join(Candidate, Candidate.sky_object_id == SkyObject.id)
        .where(Candidate.campaign_id == campaign.id)
    ).all()
    assert len(rows) == 12
    assert {split for _, split, _ in rows} == {Split.POOL}
    assert all(key == random_key(7, name) for name, _, key in rows)


def test_the_evaluation_sample_has_the_smallest_keys(session: Session) -> None:
    pool = make_pool(session, n_pool=3, n_evaluation=20)
    campaign = make_campaign(session, seed=3, evaluation_size=6)
    examined = session.scalars(
        select(SkyObject.object_id)
        .join(Candidate, Candidate.sky_object_id == SkyObject.id)
        .where(
            Candidate.campaign_id == campaign.id, Candidate.split == Split.EVALUATION
        )
    ).all()
    held_out = session.scalars(
        select(SkyObject.object_id).where(
            SkyObject.pool_id == pool.id, SkyObject.split == Split.EVALUATION
        )
    ).all()
    by_key = sorted(held_out, key=lambda name: random_key(3, name))
    assert set(examined) == set(by_key[:6])


def test_a_pool_that_knows_labels_asks_for_no_evaluation_object(
    session: Session,
) -> None:
    make_pool(session, n_evaluation=20, known_targets=["z"])
    campaign = make_campaign(session, evaluation_size=200)
    splits = session.scalars(
        select(Candidate.split).where(Candidate.campaign_id == campaign.id)
    ).all()
    assert set(splits) == {Split.POOL}

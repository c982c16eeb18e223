from pathlib import Path

import pytest
from sqlalchemy import text

from db.vocabulary import RunKind, RunState
from tests.conftest import Database
from tests.rounds.observatory import Observatory, build_observatory, start_full_run


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def test_the_cold_start_ranks_typical_objects_and_predicts_nothing(
    sky: Observatory,
) -> None:
    campaign_id = sky.open_campaign()
    score = sky.live_run(campaign_id, RunKind.SCORE)
    assert score is not None

    run = sky.carry_out(score.id)

    assert run.state is RunState.PUBLISHED
    assert {reason for _, _, reason in sky.ranking(campaign_id)} == {"cold_start"}
    assert sky.predictions(campaign_id) == {}
    assert "cold_start" in {item.reason for item in sky.ask(campaign_id, 20).items}


def test_a_random_campaign_is_random_from_its_first_batch_on(sky: Observatory) -> None:
    campaign_id = sky.open_campaign(strategy={"name": "random"})
    score = sky.live_run(campaign_id, RunKind.SCORE)
    assert score is not None
    sky.carry_out(score.id)

    ranking = [name for name, _, _ in sky.ranking(campaign_id)]

    with sky.sessions.begin() as session:
        by_key = session.scalars(
            text(
                "SELECT object_id FROM candidate JOIN sky_object ON sky_object.id ="
                " sky_object_id WHERE campaign_id = :c ORDER BY random_key"
            ),
            {"c": campaign_id},
        ).all()
    assert ranking == list(by_key)


def test_a_cold_start_never_replaces_a_ranking_that_knows_labels(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky)
    sky.carry_out(run_id)
    ranking = sky.ranking(campaign_id)
    score = sky.live_run(campaign_id, RunKind.SCORE)
    assert score is not None

    late = sky.carry_out(score.id)

    assert late.state is RunState.CANCELED
    assert (sky.served(campaign_id), sky.ranking(campaign_id)) == (run_id, ranking)

"""The error on the pool, as labels tell it that were handed out by both rules."""

from pathlib import Path

import numpy as np
import pytest

from al_service.evaluation.report import squared_error
from al_service.rounds import leasing
from al_service.rounds.population import (
    PopulationError,
    population_errors,
    population_sentences,
)
from db.tables import Campaign
from db.vocabulary import RunKind, Split
from tests.conftest import Database
from tests.rounds.observatory import (
    Observatory,
    build_observatory,
    redshifts_of,
    start_full_run,
)


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path)


def found(sky: Observatory, campaign_id: int) -> PopulationError | None:
    with sky.sessions.begin() as session:
        campaign = session.get_one(Campaign, campaign_id)
        return population_errors(session, campaign)["z"]


def true_error(sky: Observatory, campaign_id: int, asked: set[str]) -> float:
    """What the model that serves is worth on the objects that nobody had asked for."""
    said = sky.predictions(campaign_id)
    names = sorted(set(sky.object_ids(Split.POOL)) & set(said) - asked)
    truth = redshifts_of(names)
    errors = squared_error(
        "z",
        np.array([truth[name] for name in names]),
        np.array([said[name].targets["z"]["mean"] for name in names]),
    )
    return float(np.sqrt(errors.mean()))


def test_labels_of_random_slots_and_of_the_strategy_tell_the_error_on_the_pool(
    sky: Observatory,
) -> None:
    campaign_id, run_id = start_full_run(sky, random_share=0.4)
    sky.carry_out(run_id)
    asked = set(sky.object_ids(Split.POOL)) - {
        name for name, _, _ in sky.ranking(campaign_id)
    }
    truth = true_error(sky, campaign_id, asked)
    batch = sky.ask(campaign_id, 150)
    assert found(sky, campaign_id) is None  # nobody has answered

    sky.tell(campaign_id, batch)

    error = found(sky, campaign_id)
    assert error is not None
    assert error.metric == "rmse_norm"
    assert error.low <= truth <= error.high
    drawn = [item for item in batch.items if item.reason == "random"]
    assert (error.n_labels, error.n_draws) == (150, len(drawn))
    assert error.first_run_id == error.last_run_id == run_id
    assert "random draws and 150 labels" in population_sentences({"z": error})[0]


def test_a_later_run_is_judged_by_its_own_predictions(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky, random_share=0.5)
    sky.carry_out(run_id)
    sky.observe(campaign_id, 60)
    before = found(sky, campaign_id)
    head = sky.publish(campaign_id, RunKind.HEAD)

    sky.observe(campaign_id, 60)

    error = found(sky, campaign_id)
    assert before is not None
    assert error is not None
    assert (error.first_run_id, error.last_run_id) == (run_id, head.id)
    assert error.n_labels == 120
    assert error.n_draws > before.n_draws


def test_an_object_that_came_back_unlabeled_was_drawn_once(sky: Observatory) -> None:
    campaign_id, run_id = start_full_run(sky, random_share=1.0)
    sky.carry_out(run_id)
    given_back = sky.ask(campaign_id, 40)
    with sky.sessions.begin() as session:
        leasing.release(session, given_back.id)

    batch = sky.observe(campaign_id, 40)

    assert {item.object_id for item in batch.items} == {
        item.object_id for item in given_back.items
    }
    error = found(sky, campaign_id)
    assert error is not None
    assert (error.n_draws, error.n_labels) == (40, 40)

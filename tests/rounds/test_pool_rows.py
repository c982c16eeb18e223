"""What is learned of unlabeled objects is learned of the pool, never of examiners."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.rounds.ordering import read_queue
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.splits import SplitName, split_of
from db.vocabulary import RunKind
from tests.conftest import Database
from tests.rounds.observatory import N_OBJECTS, Observatory, build_observatory


def on_side(side: SplitName, groups: NDArray[np.str_]) -> NDArray[np.bool_]:
    """`N` flags: whether each object stands on a side of the split."""
    return np.array([split_of(1, group) == side.value for group in groups.tolist()])


@pytest.fixture
def sky(database: Database, tmp_path: Path) -> Observatory:
    return build_observatory(database.sessions, tmp_path, known_labels=False)


@pytest.fixture
def disguised(database: Database, tmp_path: Path) -> Observatory:
    """The same sky, but the objects that examine look like nothing else."""
    columns, measured = read_sdss10k()
    groups = columns.group_ids[:N_OBJECTS]
    examines = on_side(SplitName.EVALUATION, groups)
    photometry = measured[:N_OBJECTS].copy()
    photometry[examines] = photometry[examines][::-1] * 30.0
    assert examines.sum() > 50
    return build_observatory(
        database.sessions,
        tmp_path,
        known_labels=False,
        pool="disguised",
        photometry=photometry,
    )


def pool_split(sky: Observatory) -> NDArray[np.bool_]:
    """`N` flags: the objects that may be asked for."""
    return on_side(SplitName.POOL, sky.arrays.group_ids)


def first_rounds(sky: Observatory) -> tuple[object, ...]:
    """Everything a campaign learns and asks: cold start, network, weights, order."""
    campaign_id = sky.open_campaign(sky.pool, seed=5)
    names = sky.arrays.object_ids[pool_split(sky)].tolist()
    score = sky.live_run(campaign_id, RunKind.SCORE)
    assert score is not None
    sky.carry_out(score.id)
    cold = sky.ranking(campaign_id)
    sky.tell_objects(campaign_id, names[:60])
    first = sky.publish(campaign_id, RunKind.FULL)
    warm = sky.ranking(campaign_id)
    sky.tell_objects(campaign_id, names[60:100])
    second = sky.publish(campaign_id, RunKind.FULL)
    networks = [(run.metrics or {})["network"] for run in (first, second)]
    return cold, warm, sky.ranking(campaign_id), networks


def test_the_looks_of_objects_that_examine_change_neither_networks_nor_order(
    sky: Observatory, disguised: Observatory
) -> None:
    """Scales, whitening and density weights were learned of every row of the pool."""
    assert first_rounds(sky) == first_rounds(disguised)


def test_every_object_of_the_pool_split_is_a_pool_row_and_no_other(
    sky: Observatory,
) -> None:
    campaign_id = sky.open_campaign(overlap=2)
    sky.observe(campaign_id, 30)
    sky.ask(campaign_id, 10)
    with sky.sessions.begin() as session:
        pool_rows = read_queue(session, campaign_id).pool_rows
    np.testing.assert_array_equal(pool_rows, np.flatnonzero(pool_split(sky)))

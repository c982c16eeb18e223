from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_service.studies.arms import parse_arm
from al_service.studies.campaign import _learn, replay_campaign
from al_service.studies.choosing import Campaign
from al_service.studies.examining import examine
from al_service.studies.sky import draw_sky
from al_service.studies.spoiling import spoil
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import whole_pool
from tests.studies.conftest import SMALL_MODEL, small_replay


def test_galaxies_calibrate_or_report_coverage_whatever_their_spectra_are_called(
    small_pool: Path,
) -> None:
    """Halved by object, a galaxy set the width of the interval that it then checked."""
    arrays = PoolArrays.open(small_pool)
    sky = draw_sky(arrays, seed=0, test_size=150, labels_needed=50)
    arm = parse_arm("random", model=SMALL_MODEL)
    told = spoil(whole_pool(arrays), sky.pool, seed=0)
    _, features, head = _learn(Campaign(arm, told, sky, sky.pool[:60]), seed=0)
    predictions = head.predict(features.take(sky.test))
    values, groups = arrays.known_values[sky.test], arrays.group_ids[sky.test]
    before = examine(predictions, values, groups)
    renamed = np.array([f"spectrum {row}" for row in range(arrays.n_objects)])
    arrays.columns = replace(arrays.columns, object_ids=renamed)

    assert examine(predictions, values, arrays.group_ids[sky.test]) == before


def test_the_random_share_of_a_batch_is_the_start_of_the_random_sample(
    small_pool: Path,
) -> None:
    """What the control asks for is asked for here, too, so far as the share goes."""
    view = whole_pool(PoolArrays.open(small_pool))
    settings = small_replay(strategies=("lcmd:random_share=0.5",), rounds=1)
    control, mixed = (
        replay_campaign(view, settings, arm=arm, seed=0, finished_point=lambda _: None)
        for arm in settings.arms[::-1]
    )

    assert mixed.chosen[40:50] == control.chosen[40:50]
    assert mixed.chosen[50:] != control.chosen[50:]
    assert len(set(mixed.chosen)) == 60


def test_an_arm_that_looks_at_nobody_asks_for_what_ranking_everybody_gives(
    small_pool: Path,
) -> None:
    """Features of the whole pool for a choice by lot took most of a control's time."""
    arrays = PoolArrays.open(small_pool)
    settings = small_replay(strategies=("random:quota=0.9999",), rounds=1)
    ranked, by_lot = (
        replay_campaign(
            whole_pool(arrays), settings, arm=arm, seed=0, finished_point=lambda _: None
        )
        for arm in settings.arms
    )
    assert by_lot.chosen == ranked.chosen
    for one, other in zip(by_lot.points, ranked.points, strict=True):
        # Products of fewer rows are summed in another order.
        assert one.metrics["z"] == pytest.approx(other.metrics["z"], rel=1e-3)

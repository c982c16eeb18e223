from dataclasses import replace
from pathlib import Path

import numpy as np

from al_service.studies.campaign import _Campaign, _examine, _learn
from al_service.studies.settings import strategy_config
from al_service.studies.sky import draw_sky
from al_service.survey.pool_arrays import PoolArrays
from tests.studies.conftest import SMALL_MODEL


def test_galaxies_calibrate_or_report_coverage_whatever_their_spectra_are_called(
    small_pool: Path,
) -> None:
    """Halved by object, a galaxy set the width of the interval that it then checked."""
    arrays = PoolArrays.open(small_pool)
    sky = draw_sky(arrays, seed=0, test_size=150, labels_needed=50)
    campaign = _Campaign(strategy_config("random"), sky, sky.pool[:60])
    _, features, head = _learn(arrays, campaign, SMALL_MODEL, seed=0)
    before = _examine(arrays, sky.test, features, head)
    renamed = np.array([f"spectrum {row}" for row in range(arrays.n_objects)])
    arrays.columns = replace(arrays.columns, object_ids=renamed)

    assert _examine(arrays, sky.test, features, head) == before

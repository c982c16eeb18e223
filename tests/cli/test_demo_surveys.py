"""The simulated sky of the demo: made once, three spectra in ten, all of it labeled."""

import numpy as np
import pytest

from al_service.cli.demo_surveys import (
    SIMULATED_OBJECTS,
    SKIES,
    WITHOUT_SPECTRUM,
    Survey,
    pool_of,
)
from al_service.survey.targets import DEFAULT_TARGETS
from tests.folders import new_folder

OBJECTS = 200


def test_the_simulated_sky_lacks_most_spectra_and_no_redshift_and_is_made_once() -> (
    None
):
    with new_folder() as home:
        name, arrays = pool_of(Survey.SIMULATED, home, objects=OBJECTS)
        made = (arrays.path / "manifest.json").stat().st_mtime_ns
        again, same = pool_of(Survey.SIMULATED, home, objects=OBJECTS)
        assert (again, same.path) == (name, arrays.path)
        assert (same.path / "manifest.json").stat().st_mtime_ns == made
        assert len(arrays) == OBJECTS
        assert arrays.targets == DEFAULT_TARGETS
        # Four standard deviations of the share of 200 objects.
        without = 1.0 - arrays.flags["spectrum"].mean()
        assert without == pytest.approx(WITHOUT_SPECTRUM, abs=0.13)
        assert arrays.flags["image"].mean() > 0.8
        assert np.isfinite(arrays.known_values[:, 0]).all()


@pytest.mark.parametrize("survey", list(Survey))
def test_a_plan_leaves_more_objects_than_it_asks_for(survey: Survey) -> None:
    sky = SKIES[survey]
    asked = sky.initial + sky.rounds * sky.batch
    pool = {Survey.SDSS10K: 10_000, Survey.SIMULATED: SIMULATED_OBJECTS}[survey]
    assert asked < 0.1 * pool
    assert all(target in DEFAULT_TARGETS for target, _ in sky.panels)

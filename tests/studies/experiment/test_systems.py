"""Every system trains on a tiny survey, predicts, saves, loads, predicts the same."""

from pathlib import Path

import numpy as np
import pytest

from al_service.studies.experiment.registry import all_systems
from al_service.studies.experiment.sky import ExperimentSky
from tests.studies.experiment.skies import lesson_of, small_sides


@pytest.mark.parametrize("name", list(all_systems()))
def test_a_system_learns_predicts_saves_loads_and_predicts_the_same(
    name: str, whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    system = all_systems()[name]
    sides = small_sides(whole_sky, system.inputs)
    lesson = lesson_of(whole_sky, sides.training, sides.validation)
    test = sides.test

    fitted = system.fit(lesson)
    said = fitted.predict(test.measurements)
    fitted.save(tmp_path)
    loaded = system.load(tmp_path)
    again = loaded.predict(test.measurements)

    assert said.center.shape == (len(test), 9)
    assert np.isfinite(said.center).all()
    assert (said.total_spread > 0).all()
    for one, other in zip(said.arrays().values(), again.arrays().values(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loaded.n_parameters == fitted.n_parameters
    assert not list(tmp_path.rglob("*.pkl"))
    features = loaded.features(test.measurements)
    assert features is None or features.shape[0] == len(test)
    for hidden in system.inputs if len(system.inputs) > 1 else ():
        left = loaded.predict(test.measurements.without(hidden))
        assert np.isfinite(left.center).all()
        assert (left.total_spread > 0).all()


def test_names_are_unique_and_every_family_of_the_paper_is_there() -> None:
    systems = all_systems().values()

    assert len({system.name for system in systems}) == len(systems)
    assert {"marginal", "linear_all", "random_forest_image"} <= set(all_systems())

from pathlib import Path

import numpy as np
import pytest

from al_service.errors import InvalidInput
from al_service.studies.experiment.sky import ExperimentSky
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.simulate import simulate
from tests.studies.experiment.skies import small_settings


def test_no_galaxy_is_on_two_sides_and_a_seed_gives_one_division(
    photometric_sky: ExperimentSky,
) -> None:
    division = photometric_sky.divide(small_settings(), seed=3)

    groups = photometric_sky.arrays.group_ids
    sides = [set(groups[rows].tolist()) for rows in vars(division).values()]
    assert [len(rows) for rows in vars(division).values()] == [200, 50, 100]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    again = photometric_sky.divide(small_settings(), seed=3)
    assert np.array_equal(division.test, again.test)
    other = photometric_sky.divide(small_settings(), seed=4)
    assert not np.array_equal(division.test, other.test)


def test_a_small_pool_is_divided_in_the_asked_proportions(
    photometric_sky: ExperimentSky,
) -> None:
    wanted = small_settings(n_train=2000, n_validation=500, n_test=1500)

    division = photometric_sky.divide(wanted, seed=0)

    assert len(division.test) == 150
    assert len(division.validation) == 50
    assert len(division.training) == pytest.approx(200, abs=5)


def test_a_published_split_is_kept(photometric_sky: ExperimentSky) -> None:
    examines = np.arange(photometric_sky.arrays.n_objects) >= 300
    sky = ExperimentSky(photometric_sky.arrays, examines=examines)

    division = sky.divide(small_settings(n_test=10), seed=0)

    assert sorted(division.test.tolist()) == list(range(300, 400))
    assert division.training.max() < 300
    assert division.validation.max() < 300


def test_those_who_examine_have_every_modality(whole_sky: ExperimentSky) -> None:
    division = whole_sky.divide(
        small_settings(n_train=60, n_validation=12, n_test=24), seed=0
    )

    complete = np.all(list(whole_sky.arrays.flags.values()), axis=0)
    assert not complete.all()
    assert complete[division.test].all()
    assert complete[division.validation].all()
    assert not complete[division.training].all()


def test_a_modality_that_no_object_has_is_asked_of_none(tmp_path: Path) -> None:
    """A simulated survey without spectra could not be examined at all."""
    settings = default_settings().with_changes({"gaps": {"without_spectrum": 1.0}})
    arrays = simulate(tmp_path / "sky", 60, settings, seed=1)
    assert not arrays.flags["spectrum"].any()

    division = ExperimentSky(arrays).divide(
        small_settings(n_train=30, n_validation=10, n_test=10), seed=0
    )

    assert len(division.test) == 10


def test_too_few_labels_are_refused_with_their_number(
    photometric_sky: ExperimentSky,
) -> None:
    none = np.zeros(photometric_sky.arrays.n_objects, dtype=np.bool_)
    sky = ExperimentSky(photometric_sky.arrays, examines=none)

    with pytest.raises(InvalidInput, match=r"test: expected at least 10 .* found 0"):
        sky.divide(small_settings(), seed=0)

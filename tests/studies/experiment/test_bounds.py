"""What nobody can beat, on a simulated survey."""

import numpy as np

from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.system import Lesson, own_space
from al_service.studies.experiment.systems.bounds import Ceiling, RedshiftScan
from al_service.survey.simulation.objects import LATENTS
from tests.studies.experiment.skies import LEAST_EFFORT, small_settings


def test_the_ceiling_of_z_is_the_true_redshift(whole_sky: ExperimentSky) -> None:
    """Trees alone were ten times as far off as the scan: it beat its bound."""
    division = whole_sky.divide(
        small_settings(n_train=48, n_validation=16, n_test=16), seed=0
    )
    sides = [
        whole_sky.examples(rows, ("spectrum",)) for rows in vars(division).values()
    ]
    training, validation, test = sides
    lesson = Lesson(whole_sky.targets, training, validation, 7, LEAST_EFFORT)

    ceiling, scan = (
        system.fit(lesson).predict(test.measurements)
        for system in (Ceiling(), RedshiftScan())
    )

    assert test.measurements.latents is not None
    true = np.log1p(test.measurements.latents[:, LATENTS.index("z")])
    own = own_space(lesson.targets, test.values)[:, 0]
    error = np.nanmedian(np.abs(ceiling.center[:, 0] - own))
    assert error <= np.nanmedian(np.abs(scan.center[:, 0] - own))
    np.testing.assert_allclose(ceiling.center[:, 0], true, atol=2e-3)

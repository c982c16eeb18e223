"""Skies that every test of experiments looks at."""

import pytest

from al_service.studies.experiment.sky import ExperimentSky
from tests.studies.experiment.skies import real_sky, simulated_sky


@pytest.fixture(scope="session")
def photometric_sky(tmp_path_factory: pytest.TempPathFactory) -> ExperimentSky:
    return real_sky(tmp_path_factory.mktemp("experiment") / "real")


@pytest.fixture(scope="session")
def whole_sky(tmp_path_factory: pytest.TempPathFactory) -> ExperimentSky:
    return simulated_sky(tmp_path_factory.mktemp("experiment") / "simulated")

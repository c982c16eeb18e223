import os
import shutil
import subprocess

import pytest

from al_service.cli.main import NOUNS
from al_service.settings import Settings
from tests.production.composition import (
    FILE,
    SECRETS,
    command_of,
    environment_of,
    interpolated,
    services,
)

OURS = {"migrate", "api", "train", "score", "schedule"}
SERVERS = {"database", "broker"}


def test_the_file_is_what_the_compose_specification_allows() -> None:
    assert set(services()) == OURS | SERVERS


@pytest.mark.skipif(
    shutil.which("docker-compose") is None, reason="docker-compose is not installed"
)
@pytest.mark.parametrize("missing", [None, *SECRETS])
def test_docker_compose_takes_the_file_exactly_if_every_secret_is_set(
    missing: str | None,
) -> None:
    given = {name: word for name, word in SECRETS.items() if name != missing}
    read = subprocess.run(
        ["docker-compose", "--file", str(FILE), "config", "--quiet"],
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (read.returncode == 0) is (missing is None), read.stderr


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_must_be_given(name: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    with pytest.raises(KeyError, match=f"set {name}"):
        interpolated(text, {**SECRETS, name: ""})


def test_no_secret_stands_in_a_command_line() -> None:
    for service in services().values():
        words = [str(word) for word in service.command or []]
        assert not any(secret in word for secret in SECRETS.values() for word in words)


@pytest.mark.parametrize("name", sorted((OURS | SERVERS) - {"migrate"}))
def test_every_lasting_service_is_checked_and_comes_back(name: str) -> None:
    service = services()[name]
    assert service.healthcheck is not None
    assert service.healthcheck.test
    assert service.restart == "unless-stopped"


@pytest.mark.parametrize("name", sorted(OURS - {"migrate"}))
def test_ours_start_when_the_servers_answer_and_the_tables_stand(name: str) -> None:
    waits = services()[name].depends_on
    assert isinstance(waits, dict)
    conditions = {other: str(wait.condition.value) for other, wait in waits.items()}
    assert conditions == {
        "database": "service_healthy",
        "broker": "service_healthy",
        "migrate": "service_completed_successfully",
    }


def test_score_workers_scale_by_replicas() -> None:
    more = services({**SECRETS, "AL_SCORE_WORKERS": "7"})["score"]
    assert more.deploy is not None
    assert more.deploy.replicas == 7
    assert more.ports is None  # a fixed port or name would forbid a second one
    assert more.container_name is None


def test_only_the_api_opens_a_port_and_only_on_this_machine() -> None:
    ports = {name: service.ports for name, service in services().items()}
    assert ports.pop("api") == {"127.0.0.1:8151:8151"}
    assert not any(ports.values())


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_is_a_setting_and_every_command_a_noun(name: str) -> None:
    service = services()[name]
    known = {f"AL_{field.upper()}" for field in Settings.model_fields}
    assert set(environment_of(service)) <= known
    assert command_of(service)[0] in NOUNS


def test_a_worker_has_time_to_give_its_run_back_before_it_is_killed() -> None:
    assert services()["train"].stop_grace_period == "20s"


def test_data_outlive_their_containers() -> None:
    named = {
        "database": "database:/var/lib/postgresql",
        "train": "artifacts:/artifacts",
    }
    for name, volume in named.items():
        assert services()[name].volumes == {volume}

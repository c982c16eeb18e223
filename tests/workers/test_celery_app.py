import os
import subprocess
import sys

import pytest

from al_service.settings import Settings
from workers.celery_app import configuration


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setenv("AL_BROKER_URL", "redis://broker.example:6379/0")
    return configuration()


def test_importing_the_app_reads_no_setting_and_connects_to_nothing() -> None:
    program = (
        "import sys\n"
        "from workers.celery_app import app\n"
        "assert not app.configured\n"
        "sys.exit('torch' in sys.modules)"
    )
    kept = {name: word for name, word in os.environ.items() if name[:3] != "AL_"}
    imported = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "AL_PORT": "no number"},
        capture_output=True,
        check=False,
    )
    assert imported.returncode == 0, imported.stderr


def test_a_message_comes_back_only_after_its_run_has_ended(
    configured: dict[str, object],
) -> None:
    options = configured["broker_transport_options"]
    assert isinstance(options, dict)
    assert options["visibility_timeout"] > Settings().run_deadline_seconds


def test_a_message_is_acknowledged_when_its_work_is_done_and_holds_no_code(
    configured: dict[str, object],
) -> None:
    assert configured["task_acks_late"] is True
    assert configured["worker_prefetch_multiplier"] == 1
    assert configured["accept_content"] == ["json"]
    assert configured["result_backend"] is None


def test_a_worker_without_a_broker_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AL_BROKER_URL", raising=False)
    with pytest.raises(ValueError, match="AL_BROKER_URL"):
        configuration()


def test_a_role_that_does_not_exist_is_refused() -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "workers", "cook"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "train, score, schedule" in refused.stderr

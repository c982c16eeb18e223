from pathlib import Path

import pytest
from pydantic import ValidationError

from al_service.settings import Settings


def test_every_setting_comes_from_a_variable_with_the_prefix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AL_DATABASE_URL", "postgresql+psycopg://host/name")
    monkeypatch.setenv("AL_STALE_SECONDS", "12.5")
    settings = Settings()
    assert settings.database_url == "postgresql+psycopg://host/name"
    assert settings.stale_after.total_seconds() == 12.5


def test_artifacts_lie_in_the_home_unless_told_otherwise(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).artifacts_folder == tmp_path / "artifacts"
    elsewhere = tmp_path / "shared"
    assert Settings(home=tmp_path, artifacts=elsewhere).artifacts_folder == elsewhere


def test_an_unreadable_value_stops_the_program_and_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AL_PORT", "eighty")
    with pytest.raises(ValidationError, match="port"):
        Settings()


def test_settings_cannot_be_changed_after_they_were_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]  # the claim: mypy refuses it too

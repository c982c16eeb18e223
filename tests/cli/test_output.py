"""Where results go."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from al_service.cli.output import PRIVATE, write_json


def test_a_secret_is_written_for_its_owner_alone_even_over_an_older_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "token.json"
    file.write_text("older")
    file.chmod(0o644)
    write_json(file, {"token": "secret"}, mode=PRIVATE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {"token": "secret"}


def test_other_results_have_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        write_json(tmp_path / "curve.json", {})
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "curve.json").stat().st_mode) == 0o644


def test_times_are_written_as_over_http(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_json(file, {"at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)})
    assert json.loads(file.read_text()) == {"at": "2026-01-02T03:04:05Z"}


def test_a_number_that_json_lacks_is_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "curve.json", {"value": float("nan")})
    assert not (tmp_path / "curve.json").exists()

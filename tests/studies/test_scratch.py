"""Scratch folders go, and those of the dead with them."""

import fcntl
from pathlib import Path

import pytest

from al_service.studies.scratch import scratch_folder


def test_a_scratch_folder_is_gone_with_its_block_even_after_an_error(
    tmp_path: Path,
) -> None:
    def fail(place: Path) -> None:
        (place / "file").write_text("something")
        raise KeyError

    with pytest.raises(KeyError), scratch_folder(tmp_path) as folder:
        fail(folder)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_and_what_is_in_use_is_not(
    tmp_path: Path,
) -> None:
    dead, alive = tmp_path / ".scratch-dead", tmp_path / ".scratch-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / "lock").touch()
    with (alive / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with scratch_folder(tmp_path) as place:
            assert sorted(tmp_path.iterdir()) == sorted([alive, place])

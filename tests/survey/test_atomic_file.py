"""A file has its name when it is whole, and not before."""

from pathlib import Path

import pytest

from al_service.survey.atomic_file import new_file
from al_service.survey.unfinished import clear_abandoned


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "below" / "part.npy"
    with new_file(path) as file:
        file.write(b"whole")
        assert not path.exists()
        clear_abandoned(path.parent.glob(".*"))  # its writer lives
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]


def fail_half_way(path: Path) -> None:
    with new_file(path) as file:
        file.write(b"ha")
        raise KeyError


def test_what_fails_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "part.npy"
    path.write_bytes(b"old")
    with pytest.raises(KeyError):
        fail_half_way(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

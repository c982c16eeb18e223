import os
import stat
from pathlib import Path

import pytest

from al_service.errors import StackProblem
from al_service.local.home import LONGEST_SOCKET, open_home, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_is_private(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    assert mode(home.path) == 0o700
    assert mode(home.path / "secrets") == 0o700
    assert mode(home.logs) == 0o700


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert mode(open_home(tmp_path).path) == 0o755


def test_a_secret_stays_the_same_in_a_file_of_mode_0600(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    secret = home.secret("valkey")
    assert len(secret) == 48
    assert open_home(tmp_path).secret("valkey") == secret
    assert mode(tmp_path / "secrets" / "valkey") == 0o600


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    write_private(path, "first")
    write_private(path, "second")
    assert path.read_text() == "second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["stack.json"]


def test_sockets_lie_in_the_home_where_the_path_allows_it(tmp_path: Path) -> None:
    home = open_home(tmp_path / "h")
    assert home.sockets() == tmp_path / "h" / "sockets"


@pytest.mark.parametrize("name", ["d" * 200, "my galaxies", "galaxias-ñ", "100%"])
def test_sockets_of_a_long_or_odd_path_lie_in_a_short_private_folder(
    tmp_path: Path, name: str
) -> None:
    home = open_home(tmp_path / name)
    sockets = home.sockets()
    assert len(os.fsencode(sockets / "postgres/.s.PGSQL.5432")) <= LONGEST_SOCKET
    assert mode(sockets) == 0o700
    assert home.sockets() == sockets
    home.drop_sockets()
    assert not sockets.exists()


def test_a_cleared_temporary_folder_is_replaced(tmp_path: Path) -> None:
    home = open_home(tmp_path / "my galaxies")
    home.sockets().rmdir()
    again = home.sockets()
    assert again.is_dir()
    home.drop_sockets()


def test_a_file_cannot_be_a_home(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.touch()
    with pytest.raises(StackProblem, match=r"notes\.txt must be a folder"):
        open_home(path)

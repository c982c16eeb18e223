"""What a killed writer leaves is found by the lock that it does not hold any more."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from al_service.survey.atomic_folder import clear_partials, partial_folder
from al_service.survey.unfinished import clear_abandoned, held

WRITER = """
import sys
from pathlib import Path
from al_service.survey.atomic_folder import partial_folder

with partial_folder(Path(sys.argv[1]), "sky") as folder:
    (folder / "image").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_living_writer_keeps_its_folder_and_a_killed_one_does_not(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        folder = Path(writer.stdout.readline().strip())
        clear_partials(tmp_path)
        assert (folder / "image").exists()
        writer.send_signal(signal.SIGKILL)
    assert (folder / "image").exists(), "nobody has looked yet"
    clear_partials(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_are_cleared_away_like_folders_and_finished_ones_stay(
    tmp_path: Path,
) -> None:
    finished, left, written = (tmp_path / name for name in ("a", ".b", ".c"))
    for path in (finished, left, written):
        path.touch()
    with held(written) as is_there:
        assert is_there
        clear_abandoned(tmp_path.glob(".*"))
    assert sorted(tmp_path.iterdir()) == [written, finished]


def test_what_was_cleared_away_before_it_was_held_is_begun_anew(tmp_path: Path) -> None:
    with held(tmp_path / "gone") as is_there:
        assert not is_there


def interrupt_while_a_thread_writes(
    parent: Path, writers: list[threading.Thread]
) -> None:
    never = threading.Event()

    def write(folder: Path) -> None:
        for number in range(5):
            never.wait(0.1)
            (folder / "image").mkdir(parents=True, exist_ok=True)
            (folder / "image" / f"{number}").touch()

    with partial_folder(parent, "sky") as folder:
        writers.append(threading.Thread(target=write, args=(folder,)))
        writers[0].start()
        raise KeyboardInterrupt


def test_threads_that_write_after_ctrl_c_leave_nothing(tmp_path: Path) -> None:
    """Zarr's finish what they have begun, and made the deleted folder anew."""
    writers: list[threading.Thread] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt_while_a_thread_writes(tmp_path, writers)
    for writer in writers:
        writer.join()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_gone_after_its_block(tmp_path: Path) -> None:
    with partial_folder(tmp_path, "sky") as folder:
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []

"""The scan of a whole pool, resumed and damaged."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from al_service.errors import RunStopped
from al_service.features.pool_scan import load_pool_scan, scan_folder, scan_pool
from al_service.features.scan.scanning import SCAN_VERSION, scan
from al_service.features.scan_parts import parts_of
from al_service.local.processes import wait_until
from al_service.survey.photometry_columns import PHOTOMETRY_COLUMNS
from al_service.survey.pool_arrays import PoolArrays, PoolColumns, write_pool_arrays
from al_service.survey.spectra import N_PIXELS
from al_service.survey.unfinished import held
from tests.features.scan.skies import emission_line_galaxy, noisy

N = 1200
"""Six parts on disk; one has no spectrum in it."""

OBSERVED = {3: 0.05, 4: 0.2, 230: 0.3, 500: 0.1, 700: 0.15, 1199: 0.25}
"""Rows that have a spectrum, and its redshift."""

UNUSABLE = 4
"""A spectrum of which not one pixel can be used."""

ALONE = """
import sys
from pathlib import Path
from al_service.features.pool_scan import scan_pool
from al_service.survey.pool_arrays import PoolArrays

def tell(done: int, total: int) -> None:
    print(done, total, flush=True)

if __name__ == "__main__":
    scan_pool(PoolArrays.open(Path(sys.argv[1])), Path(sys.argv[2]), on_progress=tell)
"""


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> PoolArrays:
    """A pool of which six objects in a thousand have spectra."""
    spectra = np.zeros((N, 2, N_PIXELS), dtype=np.float32)
    for row, z in OBSERVED.items():
        flux, ivar = noisy(emission_line_galaxy(z), 20.0, seed=row)
        spectra[row] = np.concatenate([flux, ivar])
    spectra[UNUSABLE, 1] = 0.0
    names = np.array([f"{row:05d}" for row in range(N)])
    path = tmp_path_factory.mktemp("pools") / "pool"
    write_pool_arrays(
        path,
        PoolColumns(
            object_ids=names,
            group_ids=names,
            ra=np.zeros(N),
            dec=np.zeros(N),
            known_values=np.zeros((N, 0)),
            known_errors=np.zeros((N, 0)),
        ),
        photometry=np.full((N, len(PHOTOMETRY_COLUMNS)), np.nan),
        spectrum=spectra,
        has_spectrum=np.isin(np.arange(N), list(OBSERVED)),
    )
    return PoolArrays.open(path)


def files(pool: PoolArrays, folder: Path) -> dict[str, tuple[int, bytes]]:
    """Name of every part to its inode, which a rewritten file changes, and content."""
    return {
        path.name: (path.stat().st_ino, path.read_bytes())
        for path in sorted(scan_folder(pool, folder).iterdir())
    }


def stops_after(parts: int) -> Iterator[bool]:
    yield from [False] * (parts - 1)
    yield True


def test_every_object_has_what_the_scan_says_of_its_spectrum(
    pool: PoolArrays, tmp_path: Path
) -> None:
    found = scan_pool(pool, tmp_path, processes=1)
    assert len(found) == N
    rows = np.array([row for row in OBSERVED if row != UNUSABLE])
    truth = np.array([OBSERVED[row] for row in rows])
    assert np.abs(found.z[rows] - truth).max() < 1e-3
    assert found.confidence[rows].min() > 0.9
    assert set(found.spectral_class[rows]) == {"GALAXY"}
    spectra = pool.inputs(rows).spectrum
    assert spectra is not None
    alone = scan(spectra[:, 0], spectra[:, 1])
    np.testing.assert_allclose(found.z_error[rows] ** 2, alone.variance, rtol=1e-3)
    np.testing.assert_allclose(found.gain[rows], alone.gain, rtol=1e-3)


def test_an_object_without_a_spectrum_or_a_candidate_has_no_redshift(
    pool: PoolArrays, tmp_path: Path
) -> None:
    found = scan_pool(pool, tmp_path, processes=1)
    none = np.setdiff1d(np.arange(N), [row for row in OBSERVED if row != UNUSABLE])
    assert np.isnan(found.z[none]).all()
    assert np.isnan(found.z_error[none]).all()
    assert (found.confidence[none] == 0).all()
    assert (found.gain[none] == 0).all()
    assert (found.spectral_class[none] == "").all()


def test_the_number_of_processes_does_not_matter(
    pool: PoolArrays, tmp_path: Path
) -> None:
    one = scan_pool(pool, tmp_path / "one", processes=1)
    two = scan_pool(pool, tmp_path / "two", processes=2)
    for name, array in vars(one).items():
        np.testing.assert_array_equal(array, getattr(two, name))
    contents = [
        {name: content for name, (_, content) in files(pool, tmp_path / of).items()}
        for of in ("one", "two")
    ]
    assert contents[0] == contents[1]


def test_a_finished_scan_is_loaded_and_not_computed_again(
    pool: PoolArrays, tmp_path: Path
) -> None:
    assert load_pool_scan(pool, tmp_path) is None
    found = scan_pool(pool, tmp_path, processes=1)
    before = files(pool, tmp_path)
    loaded = load_pool_scan(pool, tmp_path)
    told: list[tuple[int, int]] = []
    scan_pool(pool, tmp_path, on_progress=lambda *counts: told.append(counts))
    assert loaded is not None
    for name, array in vars(found).items():
        np.testing.assert_array_equal(array, getattr(loaded, name))
    assert told == [(len(OBSERVED), len(OBSERVED))]
    assert files(pool, tmp_path) == before


def test_a_stopped_scan_keeps_its_parts_and_goes_on_where_it_was(
    pool: PoolArrays, tmp_path: Path
) -> None:
    answers = stops_after(2)
    with pytest.raises(RunStopped, match="stopped after 3 of 6 spectra"):
        scan_pool(pool, tmp_path, processes=1, should_stop=lambda: next(answers))
    kept = files(pool, tmp_path)
    assert len(kept) == 2
    assert load_pool_scan(pool, tmp_path) is None
    told: list[tuple[int, int]] = []
    scan_pool(
        pool, tmp_path, processes=1, on_progress=lambda *counts: told.append(counts)
    )
    assert told == [(3, 6), (4, 6), (5, 6), (6, 6)]
    assert files(pool, tmp_path).items() >= kept.items()


@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "deleted"])
def test_a_damaged_part_is_noticed_and_only_that_one_is_computed_again(
    pool: PoolArrays, tmp_path: Path, damage: str
) -> None:
    found = scan_pool(pool, tmp_path, processes=1)
    before = files(pool, tmp_path)
    path = sorted(scan_folder(pool, tmp_path).iterdir())[1]
    content = path.read_bytes()
    changed = {
        "changed": content[:-3] + bytes([content[-3] ^ 1]) + content[-2:],
        "cut": content[:-20],
        "empty": b"",
    }
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(changed[damage])
    assert load_pool_scan(pool, tmp_path) is None
    again = scan_pool(pool, tmp_path, processes=1)
    np.testing.assert_array_equal(found.z, again.z)
    after = files(pool, tmp_path)
    assert {name for name in before if after[name] != before[name]} <= {path.name}
    assert after[path.name][1] == content


def test_what_a_killed_process_had_begun_to_write_is_cleared_away(
    pool: PoolArrays, tmp_path: Path
) -> None:
    """It stayed for good: a part that is written anew gets another name."""
    place = scan_folder(pool, tmp_path)
    place.mkdir(parents=True)
    left, written = place / ".000000000-000000227-0.ab", place / ".0-227-0.cd"
    left.touch()
    written.touch()
    with held(written):
        scan_pool(pool, tmp_path, processes=1)
    assert list(place.glob(".*")) == [written]


def test_what_another_version_of_the_scan_found_is_not_taken(
    pool: PoolArrays, tmp_path: Path
) -> None:
    scan_pool(pool, tmp_path, processes=1)
    place = scan_folder(pool, tmp_path)
    assert place.name.endswith(f"-v{SCAN_VERSION}")
    place.rename(place.with_name(f"{place.name}9"))
    assert load_pool_scan(pool, tmp_path) is None


def test_a_pool_without_spectra_is_scanned_at_once(tmp_path: Path) -> None:
    write_pool_arrays(
        tmp_path / "pool",
        PoolColumns(
            object_ids=np.array(["a", "b"]),
            group_ids=np.array(["a", "b"]),
            ra=np.zeros(2),
            dec=np.zeros(2),
            known_values=np.zeros((2, 0)),
            known_errors=np.zeros((2, 0)),
        ),
        photometry=np.ones((2, len(PHOTOMETRY_COLUMNS))),
    )
    arrays = PoolArrays.open(tmp_path / "pool")
    assert np.isnan(scan_pool(arrays, tmp_path / "scans").z).tolist() == [True, True]
    assert load_pool_scan(arrays, tmp_path / "scans") is not None


def test_parts_without_a_spectrum_are_left_out() -> None:
    has = np.isin(np.arange(N), list(OBSERVED))
    assert all(has[part.start : part.stop].any() for part in parts_of(has))
    assert sum(int(has[part.start : part.stop].sum()) for part in parts_of(has)) == 6
    assert parts_of(np.zeros(0, dtype=bool)) == []


def test_processes_end_with_the_one_that_started_them_and_what_is_done_stays(
    pool: PoolArrays, tmp_path: Path
) -> None:
    script = tmp_path / "alone.py"
    script.write_text(ALONE)
    scanner = subprocess.Popen(
        [sys.executable, str(script), str(pool.path), str(tmp_path / "scans")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert scanner.stdout is not None
    assert scanner.stdout.readline() == "0 6\n"
    scanner.stdout.readline()  # a part is done: the processes are there
    started = psutil.Process(scanner.pid).children(recursive=True)
    os.kill(scanner.pid, signal.SIGKILL)
    scanner.wait()
    scanner.stdout.close()
    assert wait_until(lambda: not any(map(_lives, started)), seconds=20.0)
    kept = files(pool, tmp_path / "scans")
    assert kept
    scan_pool(pool, tmp_path / "scans", processes=1)
    assert files(pool, tmp_path / "scans").items() >= kept.items()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_scanning_needs_no_torch() -> None:
    code = (
        "import json, sys, al_service.features.pool_scan\n"
        "print(json.dumps('torch' in sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert json.loads(answer.stdout) is False

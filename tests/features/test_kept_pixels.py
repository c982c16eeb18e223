"""Pixels prepared once are those prepared every time, in half precision."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from al_service.features.kept_pixels import KeptPixels, KeptView
from al_service.features.preparation import COLUMNS_OF, PIXELS_OF, prepare
from al_service.survey.pool_view import PoolView, whole_pool
from al_service.survey.simulation.simulate import simulate

N = 40
EVERYTHING = ("image", "photometry", "spectrum")


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> PoolView:
    arrays = simulate(tmp_path_factory.mktemp("pools") / "sky", N, seed=1)
    scan = np.column_stack([np.full(N, 0.1), np.full(N, 1e-4), np.full(N, 0.95)])
    return whole_pool(arrays, scan=scan)


@pytest.fixture(scope="module")
def kept(view: PoolView, tmp_path_factory: pytest.TempPathFactory) -> KeptPixels:
    return KeptPixels(view.arrays, view.scan, tmp_path_factory.mktemp("kept"))


def kept_view(view: PoolView, kept: KeptPixels) -> KeptView:
    return KeptView(view.arrays, view.rows, view.scan, view.modalities, kept)


def test_prepared_objects_are_prepared_as_if_they_were_read(
    view: PoolView, kept: KeptPixels
) -> None:
    rows = np.array([31, 2, 3, 17])
    found = kept_view(view, kept).of(rows).take(slice(0, 3))
    read = view.of(rows[:3]).take(slice(None))
    np.testing.assert_array_equal(found.patterns, read.patterns)
    mine, theirs = prepare(found, EVERYTHING), prepare(read, EVERYTHING)
    assert set(mine) == set(theirs)
    for name, part in theirs.items():
        assert mine[name].dtype == part.dtype
        np.testing.assert_allclose(mine[name], part, rtol=1e-3, atol=1e-6)
    for name in COLUMNS_OF.values():
        # Sums over pixels of many objects at a time are taken in another order.
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-6, atol=1e-6)


def test_a_network_that_may_not_see_spectra_is_given_none(
    view: PoolView, kept: KeptPixels
) -> None:
    allowed = frozenset({"image", "photometry"})
    blind = whole_pool(view.arrays, modalities=allowed)
    found = kept_view(blind, kept).take(slice(None))
    assert found.has_spectrum is None
    np.testing.assert_array_equal(found.patterns, blind.take(slice(None)).patterns)
    assert set(prepare(found, allowed)) == {"photometry", "apertures", "pixels"}


def test_some_of_the_prepared_objects_are_taken_with_what_belongs_to_them(
    view: PoolView, kept: KeptPixels
) -> None:
    whole = kept_view(view, kept).take(slice(None))
    some = whole.take(np.array([5, 1]))
    assert len(some) == 2
    for name, part in prepare(some, EVERYTHING).items():
        np.testing.assert_array_equal(part, prepare(whole, EVERYTHING)[name][[5, 1]])


def test_an_object_fills_as_much_as_is_said(view: PoolView, tmp_path: Path) -> None:
    kept = KeptPixels(view.arrays, view.scan, tmp_path)
    kept.fill(view.rows, EVERYTHING, lambda _done, _total: None)
    stored = {path.stem: np.load(path) for path in tmp_path.rglob("*.npy")}
    assert stored.pop("ready").all()
    assert set(stored) == {
        *PIXELS_OF.values(),
        COLUMNS_OF["image"],
        COLUMNS_OF["spectrum"],
    }
    size = sum(part[0].nbytes for part in stored.values())
    assert kept.bytes_an_object(EVERYTHING) == size
    assert size < 100_000


def test_a_file_that_was_cut_off_is_made_anew(view: PoolView, tmp_path: Path) -> None:
    """Opened for writing it was filled with zeros, and networks saw black images."""
    kept_view(view, KeptPixels(view.arrays, view.scan, tmp_path)).take(slice(None))
    (path,) = tmp_path.rglob("pixels.npy")
    whole = np.load(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    found = kept_view(view, KeptPixels(view.arrays, view.scan, tmp_path))

    pixels = prepare(found.take(slice(None)), EVERYTHING)["pixels"]
    np.testing.assert_array_equal(pixels, whole.astype(np.float32))


def test_what_nobody_asked_for_takes_no_room(view: PoolView, tmp_path: Path) -> None:
    kept = KeptPixels(view.arrays, view.scan, tmp_path)
    kept.inputs(np.array([3]), ("image",))
    (path,) = tmp_path.rglob("pixels.npy")
    assert path.stat().st_blocks * 512 < path.stat().st_size / 4


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """One megabyte of room: 24 images."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("may not mount a small disk here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_is_an_error_and_no_sudden_end(
    view: PoolView, small_disk: Path
) -> None:
    """Written through memory it was a bus error, which ended the process unsaid."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from al_service.features.kept_pixels import KeptPixels\n"
        "from al_service.survey.pool_arrays import PoolArrays\n"
        "import numpy as np\n"
        "arrays = PoolArrays.open(Path(sys.argv[1]))\n"
        "kept = KeptPixels(arrays, None, Path(sys.argv[2]))\n"
        "kept.inputs(np.arange(arrays.n_objects), ('image',))\n"
    )
    arguments = [sys.executable, "-c", program, str(view.arrays.path), str(small_disk)]

    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr
    assert "pixels.npy" in ended.stderr.splitlines()[-1]


def test_objects_that_were_prepared_before_are_not_prepared_again(
    view: PoolView, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    kept = KeptPixels(view.arrays, view.scan, tmp_path)
    kept.fill(view.rows, EVERYTHING, lambda done, total: seen.append((done, total)))
    (path,) = tmp_path.rglob("pixels.npy")
    changed = path.stat().st_mtime_ns

    kept_view(view, KeptPixels(view.arrays, view.scan, tmp_path)).take(slice(None))

    assert seen[-1] == (N, N)
    assert path.stat().st_mtime_ns == changed

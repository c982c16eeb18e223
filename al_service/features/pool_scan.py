"""The redshift scan of a whole pool: computed by processes, part by part, and kept.

A crash costs the parts that were being computed; what is done is not done again.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from al_service.errors import RunStopped
from al_service.features.scan.scanning import SCAN_VERSION, scan
from al_service.features.scan_parts import (
    ROW,
    Scanned,
    clear_unfinished,
    parts_of,
    store_part,
    stored_parts,
)
from al_service.survey.atomic_folder import manifest_digest
from al_service.survey.pool_arrays import PoolArrays

_POOL_DIGITS: Final = 16
"""Hexadecimal digits of a pool's digest in a folder's name: enough among all pools."""


@dataclass(frozen=True)
class PoolScan:
    """What the scan says of the `N` objects of a pool, in the order of its rows."""

    z: NDArray[np.float64]
    """`N`, of the best candidate; NaN without a spectrum or a candidate."""
    z_error: NDArray[np.float64]
    """`N`, its standard deviation if the candidate is right; NaN where z is."""
    confidence: NDArray[np.float64]
    """`N`, probability that z is right; 0 where there is none."""
    gain: NDArray[np.float64]
    """`N`, fall of chi^2; 0 without a candidate."""
    spectral_class: NDArray[np.str_]
    """`N`: GALAXY, QSO or STAR; empty without a candidate."""

    def __len__(self) -> int:
        return len(self.z)


def scan_pool(
    arrays: PoolArrays,
    folder: Path,
    *,
    processes: int = 2,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> PoolScan:
    """Scan every spectrum of a pool that was not scanned before.

    Args:
        arrays: the pool.
        folder: where the scans of all pools lie.
        processes: how many to start; 1 scans in this one.
        on_progress: told the number of spectra that are done, and of all.
        should_stop: asked after every part.

    Raises:
        RunStopped: `should_stop` said so; finished parts stay.
    """
    place = scan_folder(arrays, folder)
    has = _has_spectrum(arrays)
    parts = parts_of(has)
    clear_unfinished(place)
    stored = stored_parts(place, parts)
    done, total = sum(map(len, stored.values())), int(has.sum())
    on_progress(done, total)
    missing = [part for part in parts if part not in stored]
    for part, scanned in _computed(arrays, place, missing, processes):
        stored[part] = scanned
        done += len(scanned)
        on_progress(done, total)
        if should_stop():
            raise RunStopped(f"the scan stopped after {done} of {total} spectra")
    return _gathered(len(arrays), stored)


def load_pool_scan(arrays: PoolArrays, folder: Path) -> PoolScan | None:
    """The scan of a pool; None where it is incomplete or damaged.

    Args:
        arrays: the pool.
        folder: where the scans of all pools lie.
    """
    parts = parts_of(_has_spectrum(arrays))
    stored = stored_parts(scan_folder(arrays, folder), parts)
    return _gathered(len(arrays), stored) if len(stored) == len(parts) else None


def scan_folder(arrays: PoolArrays, folder: Path) -> Path:
    """Where a pool's scan lies: named by the pool's digest and the scan's version."""
    digest = manifest_digest(arrays.path)[:_POOL_DIGITS]
    return folder / f"{digest}-v{SCAN_VERSION}"


def _has_spectrum(arrays: PoolArrays) -> NDArray[np.bool_]:
    return arrays.flags.get("spectrum", np.zeros(len(arrays), dtype=np.bool_))


def _gathered(n: int, stored: dict[range, Scanned]) -> PoolScan:
    whole = np.zeros(n, dtype=ROW)
    whole["z"] = whole["z_error"] = np.nan
    for scanned in stored.values():
        whole[scanned["row"]] = scanned
    return PoolScan(
        **{field.name: np.array(whole[field.name]) for field in fields(PoolScan)}
    )


def _computed(
    arrays: PoolArrays, place: Path, missing: list[range], processes: int
) -> Iterator[tuple[range, Scanned]]:
    """The missing parts as they get done and are stored, in any order."""
    started = min(processes, len(missing))
    if started <= 1:
        for part in missing:
            with threadpool_limits(limits=1):
                scanned = _scan_part(arrays, part, place)
            yield part, scanned
        return
    context = multiprocessing.get_context("spawn")  # nothing of ours in their memory
    executor = ProcessPoolExecutor(started, context, _begin)
    try:
        futures = {
            executor.submit(_scan_part_of, arrays.path, part, place): part
            for part in missing
        }
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        executor.shutdown(cancel_futures=True)


def _begin() -> None:
    """Make a new process use one core, and end with the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the other, and so this
    threadpool_limits(limits=1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _scan_part_of(pool: Path, part: range, place: Path) -> Scanned:
    return _scan_part(_opened(pool), part, place)


@lru_cache(maxsize=1)
def _opened(pool: Path) -> PoolArrays:
    """Once per process: the identifiers of a million objects take a second."""
    return PoolArrays.open(pool)


def _scan_part(arrays: PoolArrays, part: range, place: Path) -> Scanned:
    rows = part.start + np.flatnonzero(_has_spectrum(arrays)[part.start : part.stop])
    spectra = arrays.spectra(slice(part.start, part.stop))[rows - part.start]
    result = scan(spectra[:, 0], spectra[:, 1])
    scanned = np.zeros(len(rows), dtype=ROW)
    scanned["row"] = rows
    scanned["z"] = result.z
    scanned["z_error"] = np.sqrt(result.variance)
    scanned["confidence"] = result.confidence
    scanned["gain"] = result.gain
    scanned["spectral_class"] = result.spectral_class
    store_part(place, part, scanned)
    return scanned

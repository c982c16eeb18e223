"""The redshift scan on two processes, against its Fourier transforms alone."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from al_service.features.scan.scanning import scan
from al_service.features.scan.templates import SpectralClass, template_sets
from al_service.studies.speed.measuring import (
    Budget,
    Measurement,
    Size,
    peak_mb,
)
from al_service.survey.spectra.grid import N_PIXELS

NAME: Final = "scan"

SPECTRA_A_SECOND: Final = 100
"""On two cores."""

PROCESSES: Final = 2

TOGETHER: Final = 64
"""Spectra in memory at a time, as in `al scan`."""

BATCH: Final = 8
"""Spectra per round of transforms, as in the scan."""

BRIGHTNESS: Final = 80.0
"""Of a template of unit norm: a signal-to-noise that nobody can miss."""

RIGHT: Final = 0.005
"""|dz| / (1 + z) within which a redshift is right."""


@dataclass(frozen=True)
class _Scale:
    spectra: int
    part: int
    """A second, smaller scan, whose memory is compared."""


_SCALES: Final = {
    Size.SMALL: _Scale(spectra=24, part=3),
    Size.FULL: _Scale(spectra=4096, part=4),
}


@dataclass(frozen=True)
class Share:
    """What one process did."""

    spectra: int
    right: int
    peak_mb: float
    """Its largest memory."""


@dataclass(frozen=True)
class _Seen:
    seconds: float
    bare_seconds: float
    right: float
    """Share of the redshifts."""
    peak_mb: float


def measure(size: Size) -> list[Measurement]:
    """Time `scan` on galaxies against bare transforms, and look at its memory."""
    scale = _SCALES[size]
    part = _on_two_processes(scale.spectra // scale.part)
    whole = _on_two_processes(scale.spectra)
    what = f"{scale.spectra:,} spectra on {PROCESSES} processes"
    return [
        Measurement(
            benchmark=NAME,
            what=what,
            unit="s",
            ours=whole.seconds,
            peer="its Fourier transforms alone",
            theirs=whole.bare_seconds,
            budget=Budget(at_most=scale.spectra / SPECTRA_A_SECOND),
            facts={"a_second": scale.spectra / whole.seconds, "right": whole.right},
        ),
        Measurement(
            benchmark=NAME,
            what=f"largest memory of a process, {what}",
            unit="MB",
            ours=whole.peak_mb,
            peer=f"the same with {scale.spectra // scale.part:,}",
            theirs=part.peak_mb,
        ),
    ]


def _on_two_processes(spectra: int) -> _Seen:
    """Scan, then transform alone; each process warmed up before the clock starts."""
    context = multiprocessing.get_context("spawn")
    count = spectra // PROCESSES
    with ProcessPoolExecutor(PROCESSES, context) as pool:

        def both(work: Callable[[int, int], Share], n: int) -> list[Share]:
            return list(pool.map(work, range(PROCESSES), [n] * PROCESSES))

        both(scan_some, BATCH)
        started = time.perf_counter()
        shares = both(scan_some, count)
        seconds = time.perf_counter() - started
        both(transform_some, BATCH)
        started = time.perf_counter()
        both(transform_some, count)
        bare = time.perf_counter() - started
    right = sum(one.right for one in shares) / sum(one.spectra for one in shares)
    return _Seen(seconds, bare, right, max(one.peak_mb for one in shares))


def galaxies(
    generator: np.random.Generator, n: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Templates of galaxies at random redshifts, in noise.

    Args:
        generator: of redshifts and noise.
        n: how many.

    Returns:
        `N x L` fluxes of unit variance, and `N` redshifts.
    """
    (templates,) = (
        s for s in template_sets() if s.spectral_class is SpectralClass.GALAXY
    )
    width = N_PIXELS // templates.bin_width
    shifts = generator.integers(0, templates.n_shifts, n)
    kinds = generator.integers(0, len(templates.flux), n)
    starts = templates.n_shifts - 1 - shifts
    shapes = np.stack(
        [
            np.repeat(templates.flux[k, s : s + width], templates.bin_width)
            for k, s in zip(kinds, starts, strict=True)
        ]
    )
    noise = generator.standard_normal((n, N_PIXELS), dtype=np.float32)
    return BRIGHTNESS * shapes + noise, templates.redshift(shifts.astype(np.float64))


def scan_some(seed: int, n: int) -> Share:
    """Make and scan spectra, some at a time."""
    generator = np.random.default_rng(seed)
    right = 0
    for some in _parts(n, TOGETHER):
        flux, z = galaxies(generator, some)
        found = scan(flux, np.ones_like(flux))
        right += int((np.abs(found.z - z) < RIGHT * (1 + z)).sum())
    return Share(n, right, peak_mb())


def transform_some(seed: int, n: int) -> Share:
    """The scan's transforms of as many spectra, on numbers that mean nothing."""
    generator = np.random.default_rng(seed)
    for some in _parts(n, BATCH):
        for templates in template_sets():
            k = len(templates.flux)
            patterns = k + k * (k + 1) // 2
            length = fft.next_fast_len(templates.flux.shape[1] + 1, real=True)
            width = N_PIXELS // templates.bin_width
            spectra = generator.standard_normal((2 * some, width), dtype=np.float32)
            transformed = fft.rfft(spectra, length)
            product = np.broadcast_to(
                transformed[:some], (patterns, *transformed[:some].shape)
            )
            fft.irfft(product, length)
    return Share(n, 0, peak_mb())


def _parts(n: int, size: int) -> Iterator[int]:
    for start in range(0, n, size):
        yield min(size, n - start)

"""What fiber spectrographs make of light: coverage, noise, left-over sky, masks."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.survey.simulation.settings import SpectrumSettings
from al_service.survey.simulation.spectra import Spectra, smooth_noise
from al_service.survey.spectra.grid import (
    LOGLAM_START,
    LOGLAM_STEP,
    N_PIXELS,
    wavelengths,
)

SDSS, BOSS = 0, 1
"""Spectrographs, in the order of every pair of settings."""

_SMOOTH_PIXELS: Final = 60
"""Over which left-over sky hangs together."""

_IN_A_LINE: Final = 1.3
"""By which a sky line raises the noise where its residuals exceed what is stated."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Observed:
    """`N` spectra as a survey publishes them."""

    flux: Spectra
    """`N x L` in 1e-17 erg/s/cm^2/A, 0 where nothing was measured."""
    ivar: Spectra
    """`N x L` stated inverse variance, 0 where masked or not measured."""
    signal_to_noise: Floats
    """`N` medians of flux over stated noise, without noise in the flux."""
    boss: NDArray[np.bool_]
    """`N`, whether the spectrograph was that of BOSS."""
    faint: NDArray[np.bool_]
    """`N`, whether the exposure was too short."""


def observe_spectra(
    truth: Spectra, settings: SpectrumSettings, generator: Generator
) -> Observed:
    """Expose spectra: some too short, the others until they reach the limit.

    Args:
        truth: `N x L` in 1e-17 erg/s/cm^2/A; 0 throughout is empty sky.
        settings: of the instruments.
        generator: of all chance.
    """
    n = len(truth)
    boss = generator.random(n) < settings.boss_share
    seen = _coverage(boss, settings, generator)
    scatter = np.exp(generator.normal(0.0, settings.sky_noise_scatter, n))
    level = np.array(settings.sky_noise)[boss.astype(int)] * scatter
    curve = np.stack(_curves(settings))[boss.astype(int)]
    sky = (level[:, None] * curve).astype(np.float32)
    positive = np.maximum(truth, 0)
    variance = sky**2 + np.float32(settings.own_noise) * positive
    variance += (np.float32(settings.scale_error) * positive) ** 2
    sigma = np.sqrt(variance)
    reached = _median_ratio(truth, sigma, seen)
    faint = generator.random(n) < settings.faint_share
    ratio, factor = _exposure(reached, faint, settings, generator)
    sigma *= factor.astype(np.float32)[:, None]
    noise = _noise(n, boss, settings, generator)
    flux = np.where(seen, truth + noise * sigma, 0).astype(np.float32)
    good = seen & ~_masked(n, settings, generator)
    ivar = np.where(good, 1 / sigma**2, 0).astype(np.float32)
    return Observed(flux, ivar, ratio, boss, faint)


def _exposure(
    reached: Floats,
    faint: NDArray[np.bool_],
    settings: SpectrumSettings,
    generator: Generator,
) -> tuple[Floats, Floats]:
    """The signal-to-noise of every spectrum, and by what its noise has to change."""
    low, high = np.log(settings.faint_lowest), np.log(settings.faint_limit)
    short = np.exp(generator.uniform(low, high, len(reached)))
    wanted = np.where(
        faint, np.minimum(short, reached), np.maximum(reached, settings.faint_limit)
    )
    empty = reached <= 0  # sky alone: exposed like all others, with nothing to reach
    factor = reached / np.where(empty, 1.0, wanted)
    return np.where(empty, 0.0, wanted), np.where(empty, 1.0, factor)


def _median_ratio(truth: Spectra, sigma: Spectra, seen: NDArray[np.bool_]) -> Floats:
    """Medians over the coverage, on every eighth pixel: enough for a median."""
    some = np.s_[:, ::8]
    ratio = np.where(seen[some], truth[some] / sigma[some], np.nan)
    return np.asarray(np.nanmedian(ratio, axis=1), dtype=np.float64)


def _coverage(
    boss: NDArray[np.bool_], settings: SpectrumSettings, generator: Generator
) -> NDArray[np.bool_]:
    ends = np.array([settings.sdss_pixels, settings.boss_pixels])[boss.astype(int)]
    move = generator.normal(0.0, settings.coverage_scatter, len(boss))
    first = np.maximum(ends[:, 0] + np.where(boss, np.abs(move) / 2, move), 0)
    pixel = np.arange(N_PIXELS)
    return np.asarray((pixel >= first[:, None]) & (pixel <= ends[:, 1:]))


def _noise(
    n: int,
    boss: NDArray[np.bool_],
    settings: SpectrumSettings,
    generator: Generator,
) -> Spectra:
    """True noise in units of the stated one."""
    white = generator.standard_normal((n, N_PIXELS + 1), dtype=np.float32)
    share = np.float32(settings.noise_correlation)
    noise = (white[:, 1:] + share * white[:, :-1]) / np.sqrt(1 + share**2)
    smooth = np.float32(settings.smooth_share)
    noise *= np.sqrt(1 - smooth)
    noise += np.sqrt(smooth) * smooth_noise(n, _SMOOTH_PIXELS, generator)
    noise *= np.stack(_excess(settings))[boss.astype(int)]
    return np.asarray(noise, dtype=np.float32)


def _masked(
    n: int, settings: SpectrumSettings, generator: Generator
) -> NDArray[np.bool_]:
    """Runs of pixels that cosmic rays have spoiled."""
    runs = generator.poisson(settings.masked_runs * n)
    row = generator.integers(0, n, runs)
    first = generator.integers(0, N_PIXELS, runs)
    length = generator.geometric(1.0 / settings.masked_length, runs)
    change = np.zeros((n, N_PIXELS + 1), dtype=np.int8)  # runs hardly ever overlap
    np.add.at(change, (row, first), 1)
    np.add.at(change, (row, np.minimum(first + length, N_PIXELS)), -1)
    return np.asarray(change.cumsum(axis=1, dtype=np.int8)[:, :-1] > 0)


@cache
def _curves(settings: SpectrumSettings) -> tuple[Spectra, Spectra]:
    """Noise relative to its median over the coverage, of SDSS-I and of BOSS."""
    grid = wavelengths()
    smooth = [
        np.exp(np.interp(grid, settings.wavelength, np.log(values)))
        for values in (settings.sdss_noise, settings.boss_noise)
    ]
    pixel = np.arange(N_PIXELS)
    for wavelength, sdss, boss in settings.sky_lines:
        center = (np.log10(wavelength) - LOGLAM_START) / LOGLAM_STEP
        near = np.exp(-0.5 * ((pixel - center) / settings.sky_line_width) ** 2)
        smooth[SDSS] *= 1.0 + (sdss - 1.0) * near
        smooth[BOSS] *= 1.0 + (boss - 1.0) * near
    sdss_curve, boss_curve = (one.astype(np.float32) for one in smooth)
    return sdss_curve, boss_curve


@cache
def _excess(settings: SpectrumSettings) -> tuple[Spectra, Spectra]:
    """True over stated noise: sky lines are subtracted worse than errors say."""
    found = []
    for curve, values in zip(
        _curves(settings), (settings.sdss_noise, settings.boss_noise), strict=True
    ):
        base = np.exp(np.interp(wavelengths(), settings.wavelength, np.log(values)))
        in_line = curve > _IN_A_LINE * base
        found.append(
            np.where(
                in_line,
                settings.noise_over_stated_in_lines,
                settings.noise_over_stated,
            ).astype(np.float32)
        )
    sdss_excess, boss_excess = found
    return sdss_excess, boss_excess

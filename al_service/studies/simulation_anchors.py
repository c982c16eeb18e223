"""Where the numbers of the simulated survey come from: real files, measured.

`python -m al_service.studies.simulation_anchors DATA` prints what stands in
`al_service/survey/simulation/settings.toml`. DATA holds stamps of a real field, spectra
of empty sky, spectra of BOSS, and the ECO and RESOLVE catalogs.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, percentile_filter
from scipy.signal import find_peaks

from al_service.survey.simulation.settings import default_settings
from al_service.survey.spectra import read_folder
from al_service.survey.spectra.grid import N_PIXELS, wavelengths

STAMPS: Final = "real_stamps_ugriz_64.npz"
SKY_FIBERS: Final = "sky_fibres.npz"
GALAXIES: Final = "eco_resolve_ugriz_z_sfr.parquet"
SPECTRA: Final = "spectra"

SKY_FIBERS_START: Final = 30
"""Pixels by which the file's grid begins before that of the service."""

_EDGE: Final = 10
"""Rows at the top and bottom of a stamp: mostly sky."""

_OUTLIER: Final = 3.0
"""Deviations beyond which a pixel is not sky."""

_BASE_WINDOW: Final = 151
"""Pixels within which a low percentile is the noise between sky lines."""

_PROMINENT: Final = 1.4
"""Rise of the noise from which a sky line is listed."""

_FAINT_FLUX: Final = 1.2
"""1e-17: spectra of BOSS below are as noisy as the sky alone."""

_DWARFS: Final = -19.0
"""Absolute magnitude in r; fainter galaxies are not in the main sample."""

Floats = NDArray[np.floating[Any]]  # Any: every precision


@dataclass(frozen=True)
class StampNoise:
    """The sky on stamps."""

    noise: Floats
    """`B` nanomaggies per pixel, medians over the stamps."""
    correlation: Floats
    """`B`, of a pixel with its neighbor."""
    residual: Floats
    """`B`, scatter of the left-over level in units of the noise."""


@dataclass(frozen=True)
class SpectrumNoise:
    """The noise of fiber spectra."""

    level: float
    """Median over spectra of the median over pixels, 1e-17 erg/s/cm^2/A."""
    curve: Floats
    """`L` noise between sky lines relative to the median, NaN where nothing is seen."""
    lines: list[tuple[float, float]]
    """Wavelength in A, and by what the noise rises."""


def stamp_noise(stamps: Floats) -> StampNoise:
    """Measure the sky at the upper and lower edges.

    Args:
        stamps: `N x B x H x W` nanomaggies.
    """
    edges = np.concatenate([stamps[:, :, :_EDGE], stamps[:, :, -_EDGE:]], axis=2)
    flat = edges.reshape(*edges.shape[:2], -1)
    level = np.median(flat, axis=2)
    spread = 1.4826 * np.median(np.abs(flat - level[..., None]), axis=2)
    unit = (stamps - level[..., None, None]) / spread[..., None, None]
    sky = np.where(np.abs(unit) < _OUTLIER, unit, np.nan)
    beside = np.nanmean(sky[..., 1:] * sky[..., :-1], axis=(0, 2, 3))
    noise = np.median(spread, axis=0)
    return StampNoise(
        noise=noise,
        correlation=beside / np.nanmean(sky**2, axis=(0, 2, 3)),
        residual=1.4826 * np.median(np.abs(level - np.median(level, 0)), 0) / noise,
    )


def spectrum_noise(ivar: Floats) -> SpectrumNoise:
    """Measure what is stated of spectra that are nearly sky.

    Args:
        ivar: `N x L`, 0 where not measured.
    """
    with np.errstate(divide="ignore"):
        sigma = np.where(ivar > 0, 1.0 / np.sqrt(ivar), np.nan)
    level = np.nanmedian(sigma, axis=1)
    seen = np.isfinite(sigma).any(axis=0)
    curve = np.full(sigma.shape[1], np.nan)
    curve[seen] = np.nanmedian(sigma[:, seen] / level[:, None], axis=0)
    base = np.full(sigma.shape[1], np.nan)
    low = percentile_filter(curve[seen], 20, _BASE_WINDOW)
    base[seen] = gaussian_filter1d(low, 40)
    rise = np.nan_to_num(curve / base, nan=1.0)
    peaks, _ = find_peaks(rise, height=_PROMINENT, distance=6)
    wave = wavelengths()
    lines = [(float(wave[i]), float(rise[i])) for i in peaks]
    return SpectrumNoise(float(np.median(level)), base, lines)


def noise_over_stated(
    flux: Floats, ivar: Floats, noise: SpectrumNoise
) -> tuple[float, float]:
    """True over stated noise of empty sky, between sky lines and within them."""
    unit = flux * np.sqrt(ivar)
    wave = wavelengths()
    within = np.zeros(len(wave), dtype=bool)
    for center, _ in noise.lines:
        within |= np.abs(np.log10(wave / center)) < 1.5e-4
    seen = ivar > 0
    return float(unit[seen & ~within].std()), float(unit[seen & within].std())


def correlations(flux: Floats, ivar: Floats) -> tuple[float, float]:
    """Of a pixel with the next, and the smooth share of the variance (empty sky)."""
    unit = flux * np.sqrt(ivar)
    inner = unit[:, 400:4000]  # away from the ends of SDSS-I
    smooth = gaussian_filter1d(inner, 30.0, axis=1)
    rough = inner - smooth
    beside = float(np.mean(rough[:, 1:] * rough[:, :-1]) / np.mean(rough**2))
    white = float(np.var(inner)) / (
        2.0 * np.sqrt(np.pi) * 30.0
    )  # what white noise leaves
    return beside, (float(np.var(smooth)) - white) / float(np.var(inner))


def sizes(path: Path) -> list[str]:
    """Half-light radii of real galaxies by luminosity: lines to read."""
    table = parquet.read_table(path).to_pydict()
    names = ("umag", "rmag", "absrmag", "r50", "r90", "cz", "log_ssfr")
    get = {name: np.array(table[name], dtype=np.float64) for name in names}
    kpc = get["r50"] * get["cz"] / 70.0 * 1e3 / 206_265.0
    color = get["umag"] - get["rmag"]
    bright = (get["absrmag"] < _DWARFS) & (get["r50"] > 0.5)
    found = []
    for name, kind in (("disk", color < 2.1), ("spheroid", (color > 2.1))):
        chosen = bright & kind
        if name == "spheroid":
            chosen &= get["r90"] / get["r50"] > 2.8
        slope, log_radius = np.polyfit(
            get["absrmag"][chosen] + 20.5, np.log10(kpc[chosen]), 1
        )
        left = np.log10(kpc[chosen]) - log_radius
        left = left - slope * (get["absrmag"][chosen] + 20.5)
        found.append(
            f"{name}_log_radius = {log_radius:.2f}, slope {slope:.3f},"
            f" scatter {1.4826 * np.median(np.abs(left)):.2f}, n {chosen.sum()}"
        )
    for low, high in ((0.8, 1.2), (1.2, 1.5), (1.5, 1.8), (1.8, 2.1)):
        chosen = bright & (color > low) & (color <= high)
        quantiles = np.nanpercentile(get["log_ssfr"][chosen], [16, 50, 84])
        found.append(f"log sSFR at u - r {low} to {high}: {np.round(quantiles, 2)}")
    return found


def sky_fibers(path: Path) -> tuple[Floats, Floats]:
    """`N x L` flux and inverse variance of fibers on empty sky, on our grid."""
    moved = []
    with np.load(path) as stored:
        for name in ("flux", "ivar"):
            placed = np.zeros((len(stored[name]), N_PIXELS))
            placed[:, :-SKY_FIBERS_START] = stored[name][:, SKY_FIBERS_START:]
            moved.append(placed)
    flux, ivar = moved
    return flux, ivar


def boss_ivar(folder: Path) -> Floats:
    """`N x L` inverse variances of faint spectra of BOSS."""
    found = [
        spectrum.ivar
        for spectrum in read_folder(folder)
        if (spectrum.ivar[-200:] > 0).any()
        and np.median(spectrum.flux[spectrum.ivar > 0]) < _FAINT_FLUX
    ]
    return np.array(found, dtype=np.float64)


def main(arguments: Sequence[str]) -> None:
    """Print what the files say."""
    data = Path(arguments[0])
    with np.load(data / STAMPS) as stored:
        stamps = stamp_noise(stored["stamps"].astype(np.float64))
    _say("images.sky_noise", np.round(stamps.noise, 4).tolist())
    _say("images.noise_correlation", np.round(stamps.correlation, 2).tolist())
    _say("images.sky_residual", np.round(stamps.residual, 3).tolist())
    flux, ivar = sky_fibers(data / SKY_FIBERS)
    at = np.array(default_settings().spectra.wavelength)
    sdss, boss = spectrum_noise(ivar), spectrum_noise(boss_ivar(data / SPECTRA))
    for name, noise in (("sdss", sdss), ("boss", boss)):
        seen = np.isfinite(noise.curve)
        curve = np.interp(at, wavelengths()[seen], noise.curve[seen])
        _say(f"spectra.sky_noise ({name})", round(noise.level, 2))
        _say(f"spectra.{name}_noise", np.round(curve, 3).tolist())
        _say("spectra.sky_lines", [(round(w, 1), round(h, 1)) for w, h in noise.lines])
    _say("spectra.noise_over_stated", noise_over_stated(flux, ivar, sdss))
    _say("spectra.noise_correlation, smooth_share", correlations(flux, ivar))
    for line in sizes(data / GALAXIES):
        _say("shapes", line)


def _say(name: str, value: object) -> None:
    sys.stdout.write(f"{name} = {value}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

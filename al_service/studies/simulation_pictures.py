"""Simulated beside real: stamps, spectra and relations, to be looked at.

`python -m al_service.studies.simulation_pictures DATA docs` writes the pictures that
docs/simulation.md shows and prints its table. DATA holds real stamps and spectra.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from astropy.visualization import make_lupton_rgb
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from al_service.features.scan.scanning import scan
from al_service.studies.simulation_anchors import SPECTRA, STAMPS
from al_service.survey.inputs import Inputs
from al_service.survey.magnitudes import ZERO_POINT
from al_service.survey.photometry_columns import MODEL_FLUX
from al_service.survey.sdss10k import read_sdss10k
from al_service.survey.simulation.junk import Kind
from al_service.survey.simulation.objects import KIND_NUMBERS
from al_service.survey.simulation.simulate import read_latents, simulate
from al_service.survey.spectra import Spectrum, read_folder
from al_service.survey.spectra.grid import wavelengths

N_OBJECTS: Final = 3000
SEED: Final = 20_261_122

N_SCANNED: Final = 1200
"""Spectra for the failures of the scan: some 40 in every bin of the faint tail."""

BINS: Final = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 100.0)
"""Signal-to-noise."""

RIGHT: Final = 0.003
"""|dz|/(1+z) within which a scanned redshift is that of the galaxy."""

_COLUMNS: Final = 10
_ROWS: Final = 3
_SPECTRA: Final = 6

_STRETCH: Final = 0.35
"""Nanomaggies per pixel up to which pictures are linear."""

_LATE: Final = 0.3
"""Redshift beyond which real spectra are not of the main sample."""

Latents = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Failures:
    """How often the scan finds another redshift, in one bin of signal-to-noise."""

    low: float
    high: float
    n: int
    failed: float
    typical_error: float
    """Normalized median absolute deviation of dz/(1+z) of those that are right."""


def scan_failures(inputs: Inputs, truth: Latents) -> list[Failures]:
    """Scan simulated spectra and compare with their true redshifts.

    Args:
        inputs: `N` objects.
        truth: of `read_latents`.
    """
    if inputs.spectrum is None or inputs.has_spectrum is None:
        raise ValueError("expected objects with spectra, found none")
    rows = np.flatnonzero(inputs.has_spectrum & _galaxies(truth))[:N_SCANNED]
    result = scan(inputs.spectrum[rows, 0], inputs.spectrum[rows, 1])
    z, ratio = truth["z"][rows], truth["signal_to_noise"][rows]
    off = (result.z - z) / (1.0 + z)
    right = np.abs(off) < RIGHT  # false where nothing was found
    found = []
    for low, high in pairwise(BINS):
        here = (ratio >= low) & (ratio < high)
        if not here.any():
            continue
        spread = (
            np.median(np.abs(off[here & right])) if (here & right).any() else np.nan
        )
        failed = float(np.mean(~right[here]))
        found.append(Failures(low, high, int(here.sum()), failed, 1.4826 * spread))
    return found


def draw_stamps(real: NDArray[Any], inputs: Inputs, truth: Latents) -> Figure:
    """Real stamps above, simulated ones below, brightest first."""
    if inputs.image is None or inputs.has_image is None:
        raise ValueError("expected objects with images, found none")
    there = np.flatnonzero(inputs.has_image & _galaxies(truth))
    half = _COLUMNS * _ROWS // 2
    # The main sample ends where the real field's galaxies begin: half of the simulated
    # stamps are its faintest.
    flux = np.nan_to_num(inputs.photometry[there, MODEL_FLUX.start + 2], nan=np.inf)
    faint = there[np.argsort(flux)][: _COLUMNS * _ROWS - half]
    chosen = np.concatenate([there[:half], faint])
    figure = Figure(figsize=(_COLUMNS, 2 * _ROWS + 0.6), layout="constrained")
    axes = figure.subplots(2 * _ROWS, _COLUMNS)
    for ax, stamp in zip(axes[:_ROWS].ravel(), real, strict=False):
        _show(ax, stamp)
    for ax, row in zip(axes[_ROWS:].ravel(), chosen, strict=False):
        _show(ax, inputs.image[row])
    axes[0, 0].set_title("real", loc="left")
    axes[_ROWS, 0].set_title("simulated", loc="left")
    return figure


def draw_spectra(real: Sequence[Spectrum], inputs: Inputs, truth: Latents) -> Figure:
    """Real spectra to the left, simulated ones to the right, from good to bad."""
    if inputs.spectrum is None or inputs.has_spectrum is None:
        raise ValueError("expected objects with spectra, found none")
    figure = Figure(figsize=(11, 1.7 * _SPECTRA), layout="constrained")
    axes = figure.subplots(_SPECTRA, 2)
    for ax, one in zip(axes[:, 0], real, strict=False):
        title = f"real, z = {one.z:.3f}, S/N {one.sn_median:.0f}"
        _plot(ax, one.flux, one.trusted_ivar, title)
    there = np.flatnonzero(inputs.has_spectrum & _galaxies(truth))
    order = there[np.argsort(-truth["signal_to_noise"][there])]
    places = np.linspace(0.03, 0.97, _SPECTRA) * (len(order) - 1)
    for ax, row in zip(axes[:, 1], order[places.astype(int)], strict=True):
        specific = truth["log_sfr"][row] - truth["log_mass"][row]
        title = (
            f"simulated, z = {truth['z'][row]:.3f},"
            f" S/N {truth['signal_to_noise'][row]:.1f}, log sSFR {specific:.1f}"
        )
        _plot(ax, inputs.spectrum[row, 0], inputs.spectrum[row, 1], title)
    axes[-1, 0].set_xlabel("wavelength (Å)")
    axes[-1, 1].set_xlabel("wavelength (Å)")
    return figure


def draw_relations(inputs: Inputs, truth: Latents, scanned: list[Failures]) -> Figure:
    """Color and redshift, main sequence, color and star formation, noise, failures."""
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    columns, photometry = read_sdss10k()
    some = slice(0, N_OBJECTS)
    for name, color, z, table in (
        ("real", "k", columns.known_values[some, 0], photometry[some]),
        ("simulated", "C1", truth["z"], inputs.photometry),
    ):
        axes[0].plot(z, _g_minus_r(table), ".", color=color, ms=1, label=name)
    axes[0].set(xlabel="z", ylabel="g - r", ylim=(0, 2), xlim=(0, 0.4))
    axes[0].legend(markerscale=8)
    kept = _galaxies(truth)
    forming = truth["star_forming"] > 0
    specific = truth["log_sfr"] - truth["log_mass"]
    for which, color in ((kept & forming, "C0"), (kept & ~forming, "C3")):
        style = {"color": color, "ms": 1.5}
        axes[1].plot(truth["log_mass"][which], truth["log_sfr"][which], ".", **style)
        axes[2].plot(truth["rest_u_r"][which], specific[which], ".", **style)
    mass = np.array([9.0, 11.5])
    axes[1].plot(mass, 0.76 * mass - 7.64, "k-", lw=1, label="Renzini & Peng 2015")
    axes[1].legend()
    axes[1].set(xlabel="log M*", ylabel="log SFR", xlim=(8.5, 12))
    axes[2].set(xlabel="rest-frame u - r", ylabel="log sSFR", xlim=(0.5, 3.2))
    axes[3].hist(np.log10(np.maximum(truth["signal_to_noise"][kept], 0.3)), 40)
    axes[3].set(xlabel="log S/N per pixel", ylabel="spectra")
    share = 10.0 ** (truth["log_sfr_fiber"] - truth["log_sfr"])
    axes[4].hist(truth["fiber_share_r"][kept], 40, alpha=0.6, label="light in r")
    axes[4].hist(share[kept], 40, alpha=0.6, label="star formation")
    axes[4].set(xlabel="share within the fiber", ylabel="galaxies")
    axes[4].legend()
    middle = [np.sqrt(max(one.low, 0.7) * min(one.high, 50.0)) for one in scanned]
    axes[5].plot(middle, [one.failed for one in scanned], "o-")
    axes[5].set(xlabel="S/N per pixel", ylabel="scans that fail", xscale="log")
    return figure


def real_galaxies(folder: Path) -> list[Spectrum]:
    """Real spectra of galaxies like those of the main sample, from good to bad."""
    found = [
        one
        for one in read_folder(folder)
        if one.spectral_class == "GALAXY" and one.z < _LATE
    ]
    return sorted(found, key=lambda one: -one.sn_median)


def main(arguments: Sequence[str]) -> None:
    """Write the pictures and print the failures of the scan."""
    data, docs = (Path(argument) for argument in arguments)
    with np.load(data / STAMPS) as stored:
        stamps = stored["stamps"][np.argsort(stored["rmag_aper"])]
    spectra = real_galaxies(data / SPECTRA)
    spread = np.linspace(0, len(spectra) - 1, _SPECTRA).astype(int)
    with TemporaryDirectory() as folder:
        pool = simulate(Path(folder) / "pool", N_OBJECTS, seed=SEED)
        inputs, truth = pool.inputs(slice(0, N_OBJECTS)), read_latents(pool)
    scanned = scan_failures(inputs, truth)
    for name, figure in (
        ("stamps.jpg", draw_stamps(stamps, inputs, truth)),
        ("spectra.png", draw_spectra([spectra[i] for i in spread], inputs, truth)),
        ("relations.png", draw_relations(inputs, truth, scanned)),
    ):
        figure.savefig(docs / f"simulated-{name}", dpi=72)
    for line in _table(scanned):
        sys.stdout.write(f"{line}\n")


def _table(scanned: list[Failures]) -> Iterator[str]:
    yield "| S/N per pixel | spectra | scans that fail | error of the others |"
    yield "|---|---|---|---|"
    for one in scanned:
        share, error = f"{100 * one.failed:.0f} %", f"{one.typical_error:.1e}"
        yield f"| {one.low:g} to {one.high:g} | {one.n} | {share} | {error} |"


def _galaxies(truth: Latents) -> NDArray[np.bool_]:
    return np.asarray(truth["kind"] == KIND_NUMBERS[Kind.GALAXY.value])


def _g_minus_r(photometry: NDArray[Any]) -> NDArray[Any]:
    flux = np.where(photometry > 0, photometry, np.nan)[:, MODEL_FLUX]
    magnitude = ZERO_POINT - 2.5 * np.log10(flux)
    return np.asarray(magnitude[:, 1] - magnitude[:, 2])


def _show(ax: Axes, stamp: NDArray[Any]) -> None:
    picture = make_lupton_rgb(
        0.7 * stamp[3], stamp[2], 1.6 * stamp[1], stretch=_STRETCH, Q=8
    )
    ax.imshow(picture, origin="lower")
    ax.set_axis_off()


def _plot(ax: Axes, flux: NDArray[Any], ivar: NDArray[Any], title: str) -> None:
    seen = ivar > 0
    ax.plot(wavelengths()[seen], flux[seen], lw=0.5)
    low, high = np.percentile(flux[seen], [0.3, 99.7])
    ax.set_ylim(min(0.0, low), 1.2 * high)
    ax.set_title(title, fontsize=8)


if __name__ == "__main__":
    main(sys.argv[1:])

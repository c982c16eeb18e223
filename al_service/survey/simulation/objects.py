"""A batch of simulated objects from beginning to end: nature first, then the survey."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.random import SFC64, Generator, SeedSequence
from numpy.typing import NDArray

from al_service.survey.simulation.anchors import Anchors, draw_anchors, perturbed
from al_service.survey.simulation.camera import observe_stamps
from al_service.survey.simulation.catalog import measure_photometry
from al_service.survey.simulation.galaxies import R_BAND, Galaxies, make_galaxies
from al_service.survey.simulation.gas_lines import line_wavelengths
from al_service.survey.simulation.junk import Gaps, Kind, draw_gaps, spoil_images
from al_service.survey.simulation.labels import (
    label_table,
    make_posteriors,
    redshift_labels,
)
from al_service.survey.simulation.settings import SimulationSettings
from al_service.survey.simulation.shapes import BULGE, DISK, YOUNG, Shapes, make_shapes
from al_service.survey.simulation.spectra import (
    HALPHA,
    Gas,
    add_lines,
    add_structure,
    fiber_continuum,
    make_gas,
)
from al_service.survey.simulation.spectrograph import Observed, observe_spectra
from al_service.survey.simulation.stamps import Drawn, draw_seeing, draw_stamps
from al_service.survey.spectra.grid import LOGLAM_START, LOGLAM_STEP, N_PIXELS
from al_service.survey.targets import DEFAULT_TARGETS, Target

BATCH: Final = 64
"""Objects made together: fewer cost more calls, more fall out of the caches."""

CLEAR_LINES: Final = 6.0
"""Signal-to-noise per pixel from which lines are seen well."""

KIND_NUMBERS: Final = {kind.value: number for number, kind in enumerate(Kind)}
"""How latents write what an object is."""

LATENTS: Final[tuple[str, ...]] = (
    "kind",  # number of KIND_NUMBERS
    "real_galaxy",  # row of sdss10k's galaxies that it is made of
    "z",  # true redshift
    "log_sfr",  # true log10 Msun/yr
    "log_sfr_fiber",  # of it what forms within the fiber: what the spectrum shows
    "log_sfr_outside",  # and outside of it: what the image shows
    "log_mass",  # log10 Msun of stars
    "star_forming",  # 1 or 0
    "rest_u_r",  # mag
    "absolute_r",  # mag
    "fiber_share_r",  # of the light in r
    "bulge_share_r",
    "bulge_radius",  # half-light, pixels
    "disk_radius",
    "axis_ratio",
    "clump_share",
    "attenuation",  # mag at H alpha
    "abundance",  # 12 + log(O/H)
    "active",  # 1 or 0
    "halpha_flux",  # 1e-17 erg/s/cm^2 as it arrives, but for Galactic dust
    "signal_to_noise",  # of the spectrum, median per pixel
    "boss",  # 1 or 0
    "faint",  # 1 or 0
)
"""What is true of an object and nobody has measured."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """`K` simulated objects."""

    photometry: NDArray[np.float32]
    """`K x P`, NaN where missing."""
    image: NDArray[np.float32]
    """`K x B x H x W` nanomaggies, 0 where there is none."""
    spectrum: NDArray[np.float32]
    """`K x 2 x L` flux and inverse variance, 0 where there is none."""
    gaps: Gaps
    values: Floats
    """`K x T` labels, NaN where unknown."""
    errors: Floats
    """`K x T`."""
    anchors: Anchors
    """`K`."""
    rounds: NDArray[np.int64]
    """`K`, how often the real galaxy was used before."""
    latents: NDArray[np.float32]
    """`K` x the columns of `LATENTS`."""


@dataclass(frozen=True)
class _Nature:
    """What there is."""

    galaxies: Galaxies
    shapes: Shapes
    drawn: Drawn
    fiber_share: Floats
    """`K x B` of the light of each band within the fiber."""
    young_share: Floats
    """`K` of the young light, and of the star formation, within the fiber."""


def simulate_batch(
    anchors: Anchors,
    number: int,
    count: int,
    *,
    settings: SimulationSettings,
    seed: int,
) -> Batch:
    """Simulate the objects `number * BATCH` and following.

    Args:
        anchors: all real galaxies.
        number: of the batch; it and the seed decide all chance.
        count: how many objects, `BATCH` but for the last batch.
        settings: of the survey.
        seed: of the survey.
    """
    generator = Generator(SFC64(SeedSequence([seed, number])))
    rows, rounds = draw_anchors(anchors, number * BATCH, count, seed=seed)
    real = perturbed(anchors.take(rows), rounds > 0, settings.anchors, generator)
    gaps = draw_gaps(count, settings.gaps, generator)
    nature = _make(real, settings, generator)
    image = nature.drawn.image
    spoil_images(image, gaps.kind, generator)
    observe_stamps(image, settings.images, generator)
    gas, observed = _spectra(nature, gaps, settings, generator)
    photometry = measure_photometry(
        nature.galaxies, nature.shapes, settings.photometry, generator
    )
    values, errors = _labels(nature.galaxies, gaps, observed, settings, generator)
    image[~gaps.has_image] = 0.0
    spectrum = np.stack([observed.flux, observed.ivar], axis=1)
    spectrum[~gaps.has_spectrum] = 0.0
    photometry[~gaps.has_photometry] = np.nan
    return Batch(
        photometry=photometry,
        image=image,
        spectrum=spectrum,
        gaps=gaps,
        values=values,
        errors=errors,
        anchors=real,
        rounds=rounds,
        latents=_latents(rows, nature, gaps, gas, observed),
    )


def _make(real: Anchors, settings: SimulationSettings, generator: Generator) -> _Nature:
    galaxies = make_galaxies(real, settings.star_formation, generator)
    shapes = make_shapes(
        galaxies, settings.shapes, generator, centering=settings.images.centering
    )
    drawn = draw_stamps(
        shapes,
        draw_seeing(len(real), settings.images, generator),
        settings.images,
        fiber_arcsec=settings.spectra.fiber_arcsec,
    )
    within = np.einsum("nbc,nc->nb", shapes.flux, drawn.in_fiber) / galaxies.flux
    return _Nature(galaxies, shapes, drawn, within, drawn.in_fiber[:, YOUNG])


def _spectra(
    nature: _Nature, gaps: Gaps, settings: SimulationSettings, generator: Generator
) -> tuple[Gas, Observed]:
    galaxies = nature.galaxies
    truth = fiber_continuum(galaxies, nature.fiber_share)
    add_structure(truth, settings.spectra, generator)
    rate = 10.0**galaxies.log_rate * nature.young_share
    continuum = _at_halpha(truth, galaxies)
    gas = make_gas(galaxies, rate, continuum, settings.lines, generator)
    add_lines(truth, galaxies, gas)
    truth[gaps.junk] = 0.0
    return gas, observe_spectra(truth, settings.spectra, generator)


def _at_halpha(truth: NDArray[np.float32], galaxies: Galaxies) -> Floats:
    """`K` continua at H alpha; at the edge of the grid where it lies beyond."""
    seen = line_wavelengths()[HALPHA] * (1.0 + galaxies.redshift)
    pixel = np.rint((np.log10(seen) - LOGLAM_START) / LOGLAM_STEP).astype(np.int64)
    pixel = np.clip(pixel, 0, N_PIXELS - 1)
    return np.asarray(truth[np.arange(len(truth)), pixel], dtype=np.float64)


def _labels(
    galaxies: Galaxies,
    gaps: Gaps,
    observed: Observed,
    settings: SimulationSettings,
    generator: Generator,
) -> tuple[Floats, Floats]:
    """Values and errors, `K x T`, NaN where unknown."""
    visible = np.clip(observed.signal_to_noise / CLEAR_LINES, 0.0, 1.0)
    posteriors = make_posteriors(
        galaxies.log_rate, galaxies.star_forming, visible, settings.labels, generator
    )
    redshifts = redshift_labels(
        galaxies.redshift, observed.signal_to_noise, settings.labels, generator
    )
    values, errors = label_table(redshifts, posteriors, settings.labels)
    known = np.repeat(gaps.has_star_formation[:, None], values.shape[1], axis=1)
    known[:, DEFAULT_TARGETS.index(Target.Z)] = gaps.has_redshift
    return np.where(known, values, np.nan), np.where(known, errors, np.nan)


def _latents(
    rows: NDArray[np.int64],
    nature: _Nature,
    gaps: Gaps,
    gas: Gas,
    observed: Observed,
) -> NDArray[np.float32]:
    galaxies, shapes = nature.galaxies, nature.shapes
    with np.errstate(divide="ignore"):  # all of the star formation may be in the fiber
        inside = galaxies.log_rate + np.log10(nature.young_share)
        outside = galaxies.log_rate + np.log10(1.0 - nature.young_share)
    columns: Mapping[str, NDArray[Any]] = {  # Any: flags, numbers and counts
        "kind": np.array([KIND_NUMBERS[str(kind)] for kind in gaps.kind]),
        "real_galaxy": rows,
        "z": galaxies.redshift,
        "log_sfr": galaxies.log_rate,
        "log_sfr_fiber": inside,
        "log_sfr_outside": outside,
        "log_mass": galaxies.log_mass,
        "star_forming": galaxies.star_forming,
        "rest_u_r": galaxies.color,
        "absolute_r": galaxies.magnitude,
        "fiber_share_r": nature.fiber_share[:, R_BAND],
        "bulge_share_r": shapes.bulge_share[:, R_BAND],
        "bulge_radius": shapes.radius[:, BULGE],
        "disk_radius": shapes.radius[:, DISK],
        "axis_ratio": shapes.axis_ratio[:, DISK],
        "clump_share": shapes.clump_flux.sum(axis=1),
        "attenuation": gas.attenuation,
        "abundance": gas.abundance,
        "active": gas.active,
        "halpha_flux": gas.fluxes[:, HALPHA],
        "signal_to_noise": observed.signal_to_noise,
        "boss": observed.boss,
        "faint": observed.faint,
    }
    return np.stack([columns[name] for name in LATENTS], axis=1).astype(np.float32)

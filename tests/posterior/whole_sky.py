"""A made-up survey with images, spectra and scans; any of them may be missing."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from al_service.features.images import SKY_NOISE
from al_service.models.config import ModelConfig
from al_service.posterior.fitting import TrainingSet
from al_service.survey.images.stamp import SIDE
from al_service.survey.inputs import Inputs
from al_service.survey.photometry_columns import MODEL_FLUX
from al_service.survey.spectra.grid import wavelengths
from al_service.survey.targets import DEFAULT_TARGETS
from tests.posterior.galaxies import Floats, survey

SMALL = ModelConfig(
    dim=32,
    members=2,
    hidden=16,
    noise_hidden=8,
    embedding=16,
    epochs=2,
    pixel_epochs=2,
    pixel_learning_rate=1e-2,
    min_steps=60,
    batch=32,
)
"""Learns something of a hundred objects with images and spectra within seconds."""

SURE = 0.98
"""Confidence of a scan that is right."""

UNSURE = 0.3

SCAN_ERROR = 1e-4


@dataclass(frozen=True)
class WholeSky:
    """`N` objects, some of which lack some measurements."""

    inputs: Inputs
    values: Floats
    """`N x 9`, all known."""

    def training_set(self, targets: tuple[str, ...] = ("z",)) -> TrainingSet:
        """All objects as labeled ones, errors unknown."""
        some = self.values[:, [DEFAULT_TARGETS.index(target) for target in targets]]
        return TrainingSet(self.inputs, some, np.full(some.shape, np.nan))


def whole_sky(n: int, seed: int = 0, *, unsure: float = 0.1) -> WholeSky:
    """Galaxies with every subset of the measurements, `unsure` of the scans wrong."""
    inputs, values = survey(n, seed)
    generator = np.random.default_rng(seed + 1)
    has_image, has_spectrum, has_photometry = (
        generator.random(n) < share for share in (0.8, 0.6, 0.8)
    )
    flux = inputs.photometry[:, MODEL_FLUX].astype(np.float64)
    photometry = np.where(has_photometry[:, None], inputs.photometry, np.nan)
    z, rate = values[:, 0], values[:, DEFAULT_TARGETS.index("sfr_median")]
    whole = replace(
        inputs,
        photometry=photometry.astype(np.float32),
        has_photometry=has_photometry,
        image=np.where(has_image[:, None, None, None], _stamps(flux, generator), 0.0),
        has_image=has_image,
        spectrum=np.where(
            has_spectrum[:, None, None], _spectra(flux[:, 2], z, rate, generator), 0.0
        ),
        has_spectrum=has_spectrum,
        scan=_scan(z, has_spectrum, generator, unsure),
    )
    return WholeSky(whole, values)


def only(inputs: Inputs, *names: str) -> Inputs:
    """The same objects with some of their measurements only."""
    n = len(inputs)
    hidden = {
        f"has_{name}": np.zeros(n, dtype=bool)
        for name in ("photometry", "image", "spectrum")
        if name not in names
    }
    scan = (
        inputs.scan if "spectrum" in names else np.tile([np.nan, np.nan, 0.0], (n, 1))
    )
    return replace(inputs, **hidden, scan=scan)


def _stamps(flux: Floats, generator: np.random.Generator) -> NDArray[np.float32]:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2.0
    profile = np.exp(-0.5 * (x**2 + y**2) / 3.0**2)
    profile /= profile.sum()
    noise = generator.standard_normal((len(flux), 5, SIDE, SIDE), dtype=np.float32)
    clean = flux[:, :, None, None] * profile
    return np.asarray(clean + noise * SKY_NOISE[:, None, None], dtype=np.float32)


def _spectra(
    flux: Floats, z: Floats, rate: Floats, generator: np.random.Generator
) -> NDArray[np.float32]:
    """A flat continuum, H alpha by the star-formation rate, noise of one tenth."""
    wave = wavelengths()
    level = 0.05 * flux[:, None]
    velocity = np.log(wave / 6564.61) - np.log1p(z)[:, None]
    line = 10.0 ** rate[:, None] * np.exp(-0.5 * (velocity / 4e-4) ** 2)
    error = 0.1 * level
    noise = generator.standard_normal((len(flux), len(wave)), dtype=np.float32)
    observed = level * (1.0 + line) + noise * error
    ivar = np.broadcast_to(error**-2.0, observed.shape)
    return np.stack([observed, ivar], axis=1).astype(np.float32)


def _scan(
    z: Floats,
    has: NDArray[np.bool_],
    generator: np.random.Generator,
    unsure: float,
) -> Floats:
    found = z + SCAN_ERROR * (1.0 + z) * generator.standard_normal(len(z))
    wrong = generator.random(len(z)) < unsure
    found = np.where(wrong, generator.uniform(0.0, 1.0, len(z)), found)
    confidence = np.where(wrong, UNSURE, SURE)
    scan = np.stack([found, SCAN_ERROR * (1.0 + found), confidence], axis=1)
    return np.where(has[:, None], scan, [np.nan, np.nan, 0.0])

"""Measurements become arrays by name: what the encoders of a network read.

Small columns are put on one scale by a `Scaler` afterwards; pixels are on a fixed scale
already. What an object does not have is NaN in columns and 0 in pixels.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from al_service.features.images import (
    aperture_features,
    image_pixels,
)
from al_service.features.lines import LINE_FEATURES, line_features
from al_service.features.photometry import photometry_features
from al_service.features.spectra import SCALE_FEATURES, prepare_spectra
from al_service.survey.inputs import Inputs, Rows
from al_service.survey.photometry_columns import EXTINCTION

PHOTOMETRY: Final = "photometry"
IMAGE: Final = "image"
SPECTRUM: Final = "spectrum"

COLUMNS_OF: Final[Mapping[str, str]] = {
    PHOTOMETRY: "photometry",
    IMAGE: "apertures",
    SPECTRUM: "lines",
}
"""Modality to the name of its columns, which a `Scaler` scales."""

PIXELS_OF: Final[Mapping[str, str]] = {IMAGE: "pixels", SPECTRUM: "channels"}
"""Modality to the name of its pixels."""

Array = NDArray[np.floating[Any]]  # Any: every precision


@dataclass(frozen=True)
class PreparedInputs(Inputs):
    """Objects whose images and spectra were prepared before: their pixels are gone."""

    prepared: Mapping[str, Array] = field(default_factory=dict)
    """Columns and pixels of images and spectra by name, `N x ...`, pixels maybe in half
    precision. What was prepared can still be hidden: flags of presence decide."""

    def take(self, rows: Rows) -> Self:
        """The objects of some rows, in their order."""
        parts: dict[str, Any] = {  # Any: arrays of every modality
            one.name: None if part is None else part[rows]
            for one in fields(Inputs)
            for part in [getattr(self, one.name)]
        }
        prepared = {name: part[rows] for name, part in self.prepared.items()}
        return type(self)(**parts, prepared=prepared)


def prepare(inputs: Inputs, modalities: Collection[str]) -> dict[str, Array]:
    """Everything that the encoders of some modalities read.

    Args:
        inputs: `N` objects.
        modalities: names of those that are wanted; one that no object has is left out.

    Returns:
        Columns `N x F` and pixels `N x ...` by name.
    """
    made: dict[str, Array] = {}
    if PHOTOMETRY in modalities:
        made[COLUMNS_OF[PHOTOMETRY]] = photometry_features(inputs.photometry)
    if isinstance(inputs, PreparedInputs):
        return made | _prepared_before(inputs, modalities)
    if IMAGE in modalities and inputs.image is not None:
        made |= _images(inputs)
    if SPECTRUM in modalities and inputs.spectrum is not None:
        made |= _spectra(inputs)
    return made


def presence(inputs: Inputs, modality: str) -> NDArray[np.bool_]:
    """`N` flags: which objects have a modality."""
    flags: NDArray[np.bool_] | None = getattr(inputs, f"has_{modality}")
    return np.zeros(len(inputs), dtype=np.bool_) if flags is None else flags


def _prepared_before(
    inputs: PreparedInputs, modalities: Collection[str]
) -> dict[str, Array]:
    """What is at hand; of objects that lack a modality by now, nothing."""
    made: dict[str, Array] = {}
    for modality, pixels in PIXELS_OF.items():
        columns = COLUMNS_OF[modality]
        if modality not in modalities or pixels not in inputs.prepared:
            continue
        made[columns] = inputs.prepared[columns]
        made[pixels] = inputs.prepared[pixels].astype(np.float32, copy=False)
        absent = ~presence(inputs, modality)
        if absent.any():
            made[columns], made[pixels] = made[columns].copy(), made[pixels].copy()
            made[columns][absent] = np.nan
            made[pixels][absent] = 0.0
    return made


def _images(inputs: Inputs) -> dict[str, Array]:
    image, has = np.asarray(inputs.image), presence(inputs, IMAGE)
    extinction = inputs.photometry[:, EXTINCTION]
    # An absent image is 0 throughout, and so it is when it is stretched.
    columns = aperture_features(image, extinction)
    columns[~has] = np.nan
    return {
        PIXELS_OF[IMAGE]: image_pixels(image, extinction),
        COLUMNS_OF[IMAGE]: columns,
    }


def _spectra(inputs: Inputs) -> dict[str, Array]:
    spectrum, has = np.asarray(inputs.spectrum), presence(inputs, SPECTRUM)
    flux, ivar = spectrum[has, 0], spectrum[has, 1]
    redshift, confidence = np.full(len(flux), np.nan), np.zeros(len(flux))
    if inputs.scan is not None:
        redshift, confidence = inputs.scan[has, 0], inputs.scan[has, 2]
    prepared = prepare_spectra(flux, ivar)
    channels = np.zeros((len(spectrum), *prepared.channels.shape[1:]), dtype=np.float32)
    channels[has] = prepared.channels
    columns = np.full((len(spectrum), len(LINE_FEATURES) + len(SCALE_FEATURES)), np.nan)
    columns[has] = np.concatenate(
        [line_features(flux, ivar, redshift, confidence), prepared.scale], axis=1
    )
    return {PIXELS_OF[SPECTRUM]: channels, COLUMNS_OF[SPECTRUM]: columns}

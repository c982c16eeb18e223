"""A pool of catalogs at some of whose places stands no galaxy.

Surveys hold trails of satellites, spikes of bright stars, cosmic rays and wrong matches
between bands: fluxes of which every band tells of something else.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.survey.inputs import Inputs, Rows
from al_service.survey.photometry_columns import (
    BANDS,
    MODEL_FLUX,
    MODEL_FLUX_ERROR,
    PETRO_FLUX,
    PETRO_FLUX_ERROR,
)
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_view import PoolView

_PHOTOMETRY: Final = "photometry"

_FLUXES: Final = ((MODEL_FLUX, MODEL_FLUX_ERROR), (PETRO_FLUX, PETRO_FLUX_ERROR))
"""Columns of every kind of flux, and of its errors."""

_FACTOR: Final = (0.1, 100.0)
"""Log-uniform, of a band's flux: from what is left of a galaxy beside a mask to a
saturated star in its place, five magnitudes brighter."""


@dataclass(frozen=True)
class Junk:
    """What stands where no galaxy does."""

    place: NDArray[np.int64]
    """Of every object of the pool its row in `photometry`, -1 for galaxies."""
    photometry: NDArray[np.float32]
    """`J x P`, the columns of `PHOTOMETRY_COLUMNS`."""


@dataclass(frozen=True)
class JunkView(PoolView):
    """`N` objects of a pool of catalogs, junk among them."""

    junk: Junk | None = None
    """None: as `PoolView`."""

    def take(self, rows: Rows) -> Inputs:
        """The objects of some of these rows, in their order, as junk shows them."""
        inputs = super().take(rows)
        if self.junk is None:
            return inputs
        place = self.junk.place[self.rows[rows]]
        is_junk = place >= 0
        photometry = inputs.photometry.copy()
        photometry[is_junk] = self.junk.photometry[place[is_junk]]
        return replace(
            inputs,
            photometry=photometry,
            has_photometry=inputs.has_photometry | is_junk,
        )


def check_catalogs_only(arrays: PoolArrays) -> None:
    """Refuse pools whose pixels would show the galaxies that junk hides.

    Raises:
        InvalidInput: The pool has more than photometry.
    """
    if arrays.modalities != (_PHOTOMETRY,):
        raise InvalidInput(
            "junk: expected a pool with photometry alone, found "
            f"{', '.join(arrays.modalities) or 'no measurement'}: pixels are prepared "
            "once for all networks; `al pool simulate --junk` makes a survey with junk "
            "in its images"
        )


def with_junk(
    view: PoolView, rows: NDArray[np.int64], generator: Generator
) -> JunkView:
    """The same objects, some of them replaced by junk.

    Args:
        view: of a pool of catalogs.
        rows: `J` rows of the pool, where no galaxy stands.
        generator: of all chance.

    Raises:
        InvalidInput: The pool has more than photometry.
    """
    arrays = view.arrays
    check_catalogs_only(arrays)
    place = np.full(arrays.n_objects, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    junk = Junk(place, _junk_photometry(arrays, rows, generator))
    return JunkView(arrays, view.rows, view.scan, view.modalities, junk)


def _junk_photometry(
    arrays: PoolArrays, rows: NDArray[np.int64], generator: Generator
) -> NDArray[np.float32]:
    """`J x P`: the dust of the place; each flux that of an object drawn for it alone.

    A flux and its error are scaled alike: the signal to noise is one that the survey
    has, and gives nothing away.
    """
    measured = np.flatnonzero(arrays.flags[_PHOTOMETRY])
    photometry = arrays.inputs(rows, modalities=()).photometry.copy()
    shape = (len(rows), len(BANDS))
    bands = np.arange(len(BANDS))
    low, high = np.log(_FACTOR).tolist()
    for flux, error in _FLUXES:
        drawn = generator.choice(measured, shape)
        factor = np.exp(generator.uniform(low, high, shape))
        read, place = np.unique(drawn, return_inverse=True)
        columns = arrays.inputs(read, modalities=()).photometry
        for part in (flux, error):
            photometry[:, part] = columns[:, part][place.reshape(shape), bands] * factor
    return photometry

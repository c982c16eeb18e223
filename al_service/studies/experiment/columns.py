"""Measurements become the columns that classical models read.

Images: luptitudes, colors and growth in apertures, size and shape. Spectra: line
fluxes, equivalent widths and the break at 4000 A where the *scanned* redshift puts
them, fluxes in broad bins, and principal components of the observed frame. What an
object lacks is NaN; scaled, it becomes the mean, and a flag tells.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from al_service.features.preparation import COLUMNS_OF, PIXELS_OF, SPECTRUM, prepare
from al_service.features.scaling import Scaler
from al_service.studies.experiment.measurements import Measurements

COMPONENTS: Final = 20
"""Principal components of spectra, fewer where there are fewer objects."""

_REBIN: Final = 20
"""Pixels that become one before components are sought: 0.002 dex, lines still show."""

_CHUNK: Final = 512
"""Objects whose pixels are prepared at a time: those of all would fill the memory."""


@dataclass(frozen=True)
class ColumnScale:
    """Scaled columns of some modalities, as learned from training objects."""

    inputs: tuple[str, ...]
    scalers: dict[str, Scaler]
    components: NDArray[np.float64] | None
    """`K x L'` principal directions of rebinned spectra; None without spectra."""
    mean_spectrum: NDArray[np.float64] | None
    """`L'`."""

    @classmethod
    def fit(cls, measurements: Measurements, inputs: tuple[str, ...]) -> Self:
        """Learn scales and components from training objects."""
        columns, spectra = _measured(measurements, inputs)
        components = mean = None
        if spectra is not None:
            seen = spectra[measurements.has(SPECTRUM)]
            found = PCA(min(COMPONENTS, *seen.shape), svd_solver="full").fit(seen)
            components, mean = found.components_, found.mean_
            columns[SPECTRUM] = _joined(columns[SPECTRUM], spectra, components, mean)
        scalers = {name: Scaler.fit(part) for name, part in columns.items()}
        return cls(inputs, scalers, components, mean)

    def transform(self, measurements: Measurements) -> NDArray[np.float64]:
        """`N x F` scaled columns without missing values, and a flag per modality."""
        columns, spectra = _measured(measurements, self.inputs)
        if spectra is not None and self.components is not None:
            columns[SPECTRUM] = _joined(
                columns[SPECTRUM], spectra, self.components, self.mean_spectrum
            )
        parts = []
        for name in self.inputs:
            has = measurements.has(name)[:, None]
            parts.append(
                np.where(has, self.scalers[name].transform(columns[name]), 0.0)
            )
            if len(self.inputs) > 1:
                parts.append(has)
        return np.concatenate(parts, axis=1, dtype=np.float64)

    def place(self, name: str) -> slice:
        """Which of the `F` columns are a modality's, its flag among them."""
        flag = 1 if len(self.inputs) > 1 else 0
        widths = [len(self.scalers[one].center) + flag for one in self.inputs]
        number = self.inputs.index(name)
        start = sum(widths[:number])
        return slice(start, start + widths[number])

    @property
    def width(self) -> int:
        """Number of columns `F`, flags included."""
        flags = len(self.inputs) if len(self.inputs) > 1 else 0
        return sum(len(scaler.center) for scaler in self.scalers.values()) + flags

    def arrays(self) -> dict[str, Any]:  # Any: arrays of several types
        """Everything but the inputs' names, to be stored."""
        return {
            "scalers": {name: vars(scaler) for name, scaler in self.scalers.items()},
            "components": self.components,
            "mean_spectrum": self.mean_spectrum,
        }

    @classmethod
    def from_arrays(cls, inputs: tuple[str, ...], arrays: dict[str, Any]) -> Self:
        """What `arrays` gave."""
        scalers = {name: Scaler(**arrays["scalers"][name]) for name in inputs}
        return cls(inputs, scalers, arrays["components"], arrays["mean_spectrum"])


def _measured(
    measurements: Measurements, inputs: tuple[str, ...]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64] | None]:
    """Modality to `N x F` unscaled columns, and rebinned spectra if they are seen."""
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in inputs}
    spectra: list[NDArray[np.float64]] = []
    for start in range(0, len(measurements), _CHUNK):
        some = measurements.take(slice(start, start + _CHUNK))
        made = prepare(some.inputs, inputs)
        for name in inputs:
            parts[name].append(np.asarray(made[COLUMNS_OF[name]], dtype=np.float64))
        if SPECTRUM in inputs:
            spectra.append(_rebinned(np.asarray(made[PIXELS_OF[SPECTRUM]])))
    columns = {name: np.concatenate(part) for name, part in parts.items()}
    return columns, np.concatenate(spectra) if spectra else None


def _rebinned(channels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Lines and continuum, `N x 2 L / 20`."""
    n = len(channels)
    bins = channels[:, :2].reshape(n, 2, -1, _REBIN).mean(axis=-1, dtype=np.float64)
    return np.asarray(bins.reshape(n, -1))


def _joined(
    columns: NDArray[np.float64],
    spectra: NDArray[np.float64],
    components: NDArray[np.float64],
    mean: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    centered = spectra if mean is None else spectra - mean
    return np.concatenate([columns, centered @ components.T], axis=1)

"""What a trial said of its test objects, in one file: pictures and studies read it."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from al_service.posterior.predictions import Predictions
from al_service.studies.experiment.storing import damaged

FILE: Final = "predictions.npz"

_DAMAGES: Final = (
    FileNotFoundError,
    EOFError,
    ValueError,
    KeyError,
    BadZipFile,
    zlib.error,
)

_OURS: Final = frozenset({"targets", "values", "features"})


@dataclass(frozen=True)
class StoredPredictions:
    """Predictions of `N` test objects with everything at hand, and the truth."""

    predictions: Predictions
    """As the system stated them, before calibration."""
    values: NDArray[np.float64]
    """`N x T` labels, NaN where unknown."""
    features: NDArray[np.float32] | None
    """`N x D`; None where the system learns none."""

    def write(self, folder: Path) -> None:
        """Into the folder of a trial."""
        parts = {} if self.features is None else {"features": self.features}
        np.savez_compressed(
            folder / FILE,
            allow_pickle=False,
            targets=np.array(self.predictions.targets),
            values=self.values,
            **self.predictions.arrays(),
            **parts,
        )

    @classmethod
    def read(cls, folder: Path) -> "StoredPredictions":
        """Out of the folder of a trial.

        Raises:
            InvalidInput: The file is gone or damaged.
        """
        path = folder / FILE
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = dict(stored)
            targets, values = tuple(arrays["targets"].tolist()), arrays["values"]
        except _DAMAGES as error:
            raise damaged(path, error) from error
        said = {name: part for name, part in arrays.items() if name not in _OURS}
        return cls(
            Predictions.from_arrays(targets, said), values, arrays.get("features")
        )

"""The reference implementation of batch selection, where it is installed.

`bmdal_reg` (Holzmüller et al. 2023) comes with the extra `bench` and is needed for
nothing else. It was written for NumPy 1, whose `np.Inf` NumPy 2 has no more: the name
is put back here, in the benchmark alone.
"""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

PACKAGE: Final = "bmdal_reg"

Floats32 = NDArray[np.float32]


def is_installed() -> bool:
    """Whether the extra `bench` is there."""
    return importlib.util.find_spec(PACKAGE) is not None


class Reference:
    """Its selection methods on features that are given."""

    def __init__(self) -> None:
        """Import it; some seconds.

        Raises:
            ModuleNotFoundError: The extra `bench` is not installed.
        """
        vars(np)["Inf"] = np.inf
        parts = ("selection", "features", "feature_maps", "feature_data")
        self._parts: dict[str, Any] = {  # Any: modules without types
            part: importlib.import_module(f"{PACKAGE}.bmdal.{part}") for part in parts
        }

    def lcmd(self, pool: Floats32, labeled: Floats32, places: int) -> list[int]:
        """LCMD-TP: labels are centers."""
        method = self._parts["selection"].LargestClusterMaxDistSelectionMethod
        return self._select(method, pool, labeled, places, sel_with_train=True)

    def bait(self, pool: Floats32, places: int) -> list[int]:
        """BAIT-F-P on posterior features of unit noise."""
        method = self._parts["selection"].BaitFeatureSpaceSelectionMethod
        return self._select(method, pool, _nothing(pool), places, noise_sigma=1.0)

    def max_det(self, pool: Floats32, places: int) -> list[int]:
        """MaxDet-P on posterior features of unit noise."""
        method = self._parts["selection"].MaxDetSelectionMethod
        return self._select(method, pool, _nothing(pool), places, noise_sigma=1.0)

    def _select(
        self,
        method: Callable[..., Any],
        pool: Floats32,
        labeled: Floats32,
        places: int,
        **settings: Any,  # Any: of the method
    ) -> list[int]:
        chosen = method(
            pool_features=self._features(pool),
            train_features=self._features(labeled),
            verbosity=0,
            **settings,
        ).select(places)
        rows: list[int] = chosen.tolist()
        return rows

    def _features(self, rows: Floats32) -> Any:  # Any: no types there
        identity = self._parts["feature_maps"].IdentityFeatureMap(rows.shape[1])
        data = self._parts["feature_data"].TensorFeatureData(torch.from_numpy(rows))
        return self._parts["features"].Features(identity, data)


def _nothing(pool: Floats32) -> Floats32:
    """One object of which nothing can be learned: a training set may not be empty."""
    return np.zeros((1, pool.shape[1]), dtype=np.float32)

"""The same objects as if some of their measurements had never been made."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from al_service.features.preparation import COLUMNS_OF, SPECTRUM
from al_service.survey.inputs import Inputs


def only(inputs: Inputs, shown: Collection[str]) -> Inputs:
    """Objects with some of their modalities; the others count as absent.

    Args:
        inputs: `N` objects.
        shown: names of the modalities that stay.
    """
    n = len(inputs)
    hidden: dict[str, Any] = {  # Any: flags and scans
        f"has_{name}": np.zeros(n, dtype=np.bool_)
        for name in COLUMNS_OF
        if name not in shown
    }
    if SPECTRUM not in shown and inputs.scan is not None:
        hidden["scan"] = np.tile([np.nan, np.nan, 0.0], (n, 1))
    return replace(inputs, **hidden)

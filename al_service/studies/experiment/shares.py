"""What image and spectrum each contribute to a system that looks at both."""

import math
from typing import Any

import numpy as np

from al_service.evaluation.modality_shares import modality_shares
from al_service.features.preparation import IMAGE, SPECTRUM
from al_service.studies.experiment.system import Examples, Fitted

Json = dict[str, Any]  # Any: JSON


def shares_of_modalities(
    fitted: Fitted, inputs: tuple[str, ...], test: Examples
) -> list[Json]:
    """Conditional utilization rates and Shapley values per target.

    Other modalities stay as they are. Without both there is nothing to share.

    Args:
        fitted: the system.
        inputs: what it looks at.
        test: objects that have both.

    Returns:
        Per target `target`, and per modality `utilization` and `shapley`.
    """
    if not {IMAGE, SPECTRUM} <= set(inputs):
        return []
    everything = test.measurements
    both = fitted.predict(everything)
    image = fitted.predict(everything.without(SPECTRUM))
    spectrum = fitted.predict(everything.without(IMAGE))
    neither = fitted.predict(everything.without(IMAGE, SPECTRUM))
    found = []
    for column, target in enumerate(both.targets):
        known = np.isfinite(test.values[:, column])
        if not known.any():
            continue
        shares = modality_shares(
            test.values[known, column],
            first=image.mean[known, column],
            second=spectrum.mean[known, column],
            both=both.mean[known, column],
            neither=neither.mean[known, column],
        )
        found.append(
            {
                "target": target,
                "utilization": _named(shares.utilization),
                "shapley": _named(shares.shapley),
            }
        )
    return found


def _named(shares: tuple[float, float]) -> dict[str, float | None]:
    finite = [share if math.isfinite(share) else None for share in shares]
    return dict(zip((IMAGE, SPECTRUM), finite, strict=True))

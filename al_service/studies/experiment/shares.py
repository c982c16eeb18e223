"""What image and spectrum each contribute to a system that looks at both."""

import math
from typing import Any

import numpy as np

from al_service.evaluation.modality_shares import modality_shares
from al_service.features.preparation import IMAGE, SPECTRUM
from al_service.studies.experiment.answers import Answers

Json = dict[str, Any]  # Any: JSON


def shares_of_modalities(answers: Answers) -> list[Json]:
    """Conditional utilization rates and Shapley values per target.

    Other modalities stay as they are. Without both there is nothing to share.

    Args:
        answers: of a system; of objects that have both.

    Returns:
        Per target `target`, and per modality `utilization` and `shapley`.
    """
    if not {IMAGE, SPECTRUM} <= set(answers.inputs):
        return []
    both, values = answers.of_test(), answers.test.values
    image, spectrum = answers.of_test(SPECTRUM), answers.of_test(IMAGE)
    neither = answers.of_test(IMAGE, SPECTRUM)
    found = []
    for column, target in enumerate(both.targets):
        known = np.isfinite(values[:, column])
        if not known.any():
            continue
        shares = modality_shares(
            values[known, column],
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

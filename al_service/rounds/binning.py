"""Coverage by predicted redshift and by magnitude, for a run's row and the curve."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.evaluation.binned_coverage import Bin, coverage_by_bin
from al_service.evaluation.report import COVERAGE_LEVELS, object_contributions
from al_service.features.photometry import magnitude
from al_service.rounds.evaluating import Examination
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.targets import Target
from db.base import JsonList, JsonObject

REDSHIFT: Final = "predicted_redshift"
MAGNITUDE: Final = "magnitude_r"

_DIGITS: Final = 4
"""Of everything: a coverage is known to some per cent."""


def binned_coverage(examination: Examination, arrays: PoolArrays) -> JsonList:
    """How intervals cover in ranges of redshift and of magnitude.

    Only objects that did not calibrate the intervals report. Ranges are of the
    predicted redshift: it is what is known before a label.

    Args:
        examination: of a model.
        arrays: the pool, for the photometry of its objects.

    Returns:
        One object per range and target, as the API shows it.
    """
    evaluation = examination.evaluation
    reports = np.flatnonzero(evaluation.labeled & ~evaluation.calibrates)
    if examination.calibration is None or len(reports) == 0:
        return []
    said = examination.calibration.apply(examination.predictions.take(reports))
    contributions = object_contributions(said, evaluation.values[reports])
    values: dict[str, NDArray[np.float64]] = {}
    if Target.Z in said.targets:
        values[REDSHIFT] = said.mean[:, said.targets.index(Target.Z)]
    photometry = arrays.inputs(evaluation.rows[reports], modalities=()).photometry
    values[MAGNITUDE] = magnitude(photometry, "r")
    return [
        _as_json(found, by, target)
        for by, value in values.items()
        for column, target in enumerate(said.targets)
        for found in coverage_by_bin(
            {
                level: contributions[name][:, column]
                for name, level in COVERAGE_LEVELS.items()
            },
            value,
            evaluation.group_ids[reports],
        )
    ]


def _as_json(found: Bin, by: str, target: str) -> JsonObject:
    return {
        "by": by,
        "target": target,
        "low": round(found.low, _DIGITS),
        "high": round(found.high, _DIGITS),
        "n": found.n,
        **{
            name: {
                end: round(getattr(found.coverage[level], end), _DIGITS)
                for end in ("value", "low", "high")
            }
            for name, level in COVERAGE_LEVELS.items()
        },
    }

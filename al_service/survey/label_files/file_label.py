"""What one row of a label file says, and how far it is to be trusted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.targets import LIMITS, SFR_QUANTILES, is_missing

CONFIDENT: Final = 4
UNSURE: Final = 1
"""Qualities of what a pipeline says without and with a warning; 1 does not train."""


class LabelFormat(StrEnum):
    """Kinds of label files, told apart by their columns."""

    OWN = "al"  # object_id and our targets: what `al` exports
    MPA_JHU = "mpa-jhu"  # gal_totsfr_dr7, row by row beside gal_info_dr7
    GALSPEC = "galspec"  # galSpecExtra of CasJobs
    SPECOBJ = "specobj"  # specObj of CasJobs or of the SAS
    REDROCK = "redrock"  # redrock's output, DESI and SDSS-V
    MARZ = "marz"  # Marz results, .mz
    DESI_VI = "desi-vi"  # DESI visual inspection


@dataclass(frozen=True)
class FileLabel:
    """One row of a label file."""

    place: str
    """`row 7`, `line 9`."""
    names: tuple[str, ...]
    """Identifiers of the object, by falling precedence."""
    values: Mapping[str, float]
    errors: Mapping[str, float] = field(default_factory=dict)
    quality: int = CONFIDENT
    ra: float | None = None
    """ICRS degrees, where the file has them."""
    dec: float | None = None
    note: str | None = None
    labeler: str | None = None
    """The inspector, where the file names one."""


def usable(values: Mapping[str, float]) -> dict[str, float]:
    """Values less those that a catalog cannot mean.

    Missing codes and numbers outside of the targets' limits are left out one by one;
    quantiles that do not ascend are left out together.
    """
    good = {
        target: float(value)
        for target, value in values.items()
        if not is_missing(target, value)
        and LIMITS[target][0] <= value <= LIMITS[target][1]
    }
    quantiles = [good[name] for name in SFR_QUANTILES if name in good]
    if quantiles != sorted(quantiles):
        good = {name: v for name, v in good.items() if name not in SFR_QUANTILES}
    return good


def positive_errors(
    errors: Mapping[str, float], values: Mapping[str, float]
) -> dict[str, float]:
    """Errors of the values that are left; zero and negative ones mean "unknown"."""
    return {
        target: float(error)
        for target, error in errors.items()
        if target in values and math.isfinite(error) and error > 0
    }


FIBER_WIDTHS: Final = (4, 5, 4)
"""Digits of plate, MJD and fiber, with leading zeros."""


def fiber_names(parts: Sequence[NDArray[np.object_]]) -> NDArray[np.object_]:
    """Names of fibers as their spectra have them.

    Args:
        parts: plate, MJD and fiber, or field, MJD and catalog number: three times `N`
            whole numbers as text. Catalog numbers of SDSS-V exceed 2^53.

    Returns:
        `N` names `PLATE-MJD-FIBER`, None where a part is missing or no whole number.
    """
    names = [_fiber_name(row) for row in zip(*parts, strict=True)]
    return np.array([*names, None], dtype=object)[:-1]


def _fiber_name(parts: Sequence[str | None]) -> str | None:
    digits = [(part or "").removesuffix(".0") for part in parts]
    if not all(part.isascii() and part.isdigit() for part in digits):
        return None
    padded = (p.zfill(n) for p, n in zip(digits, FIBER_WIDTHS, strict=True))
    return "-".join(padded)

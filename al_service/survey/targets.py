"""What is predicted: redshift and star-formation statistics, their units and limits."""

import math
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Final


class Target(StrEnum):
    """A quantity that a label can carry.

    The star-formation rates are columns of the MPA-JHU catalog
    (`gal_totsfr_dr7_v5_2.fits`), log10 of solar masses per year.
    """

    Z = "z"  # spectroscopic redshift
    SFR_AVG = "sfr_avg"  # mean of the posterior of log SFR
    SFR_ENTROPY = "sfr_entropy"  # sum of p lg p over that posterior
    SFR_MEDIAN = "sfr_median"  # its 50th percentile
    SFR_MODE = "sfr_mode"  # its most probable value
    SFR_P16 = "sfr_p16"  # its 16th percentile
    SFR_P2P5 = "sfr_p2p5"  # its 2.5th percentile
    SFR_P84 = "sfr_p84"  # its 84th percentile
    SFR_P97P5 = "sfr_p97p5"  # its 97.5th percentile


DEFAULT_TARGETS: Final[tuple[str, ...]] = tuple(target.value for target in Target)

SFR_QUANTILES: Final[tuple[str, ...]] = (
    Target.SFR_P2P5.value,
    Target.SFR_P16.value,
    Target.SFR_MEDIAN.value,
    Target.SFR_P84.value,
    Target.SFR_P97P5.value,
)
"""The quantiles of log SFR in ascending order: a valid label keeps this order."""

UNITS: Final[Mapping[str, str]] = {
    target: {Target.Z: "", Target.SFR_ENTROPY: ""}.get(Target(target), "log(Msun/yr)")
    for target in DEFAULT_TARGETS
}
"""Unit of every target; empty where it has none."""

MISSING_CODES: Final[tuple[float, ...]] = (-9999.0, -99.9, -99.0)
"""Numbers with which SDSS catalogs say "not measured" (CasJobs, DR7 files)."""

ENTROPY_MISSING: Final = -1.0
"""The further missing code of `sfr_entropy`, valid only if exact."""

LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    target: {Target.Z: (-0.01, 8.0), Target.SFR_ENTROPY: (-20.0, 20.0)}.get(
        Target(target), (-6.0, 4.0)
    )
    for target in DEFAULT_TARGETS
}
"""Values outside are refused: blueshifts of nearby galaxies reach -0.001, no known
object lies beyond z = 8 in SDSS, and MPA-JHU's grid of log SFR ends within (-6, 4)."""

GOOD_ZWARNING: Final = (0, 16)
"""No warning, or MANY_OUTLIERS alone, which high signal-to-noise sets by itself."""


def is_missing(target: str, value: float) -> bool:
    """Whether a catalog value of this target says "not measured"."""
    if math.isnan(value) or value in MISSING_CODES:
        return True
    # float32 catalogs hold -99.9 as -99.900002.
    if math.isclose(value, -99.9, rel_tol=1e-6):
        return True
    return target == Target.SFR_ENTROPY and value == ENTROPY_MISSING


def check_values(values: Mapping[str, float]) -> list[str]:
    """Everything that is wrong with the values of one label.

    Args:
        values: target name to value, in the target's unit.

    Returns:
        One sentence per problem; empty for a valid label, also for one without values.
    """
    problems = [
        problem
        for target, value in values.items()
        if (problem := _problem_of(target, value)) is not None
    ]
    return problems or _order_problems(values)


def _problem_of(target: str, value: float) -> str | None:
    if target not in LIMITS:
        return f"unknown target {target!r}: expected one of {', '.join(LIMITS)}"
    if is_missing(target, value):
        return f"{target}: {value} means missing: leave the target out"
    low, high = LIMITS[target]
    if not low <= value <= high:
        return f"{target}: expected a value in [{low}, {high}], found {value}"
    return None


def _order_problems(values: Mapping[str, float]) -> list[str]:
    given = [quantile for quantile in SFR_QUANTILES if quantile in values]
    return [
        f"{upper}: quantiles must ascend, found {values[upper]} below"
        f" {lower} = {values[lower]}"
        for lower, upper in pairwise(given)
        if values[upper] < values[lower]
    ]

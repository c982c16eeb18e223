"""Columns of what is measured and predicted: units and UCDs of each target.

UCDs are those of UCD1+ 1.5 (https://www.ivoa.net/documents/UCD1+/).
"""

from collections.abc import Iterator, Sequence
from typing import Final

from al_service.exports.columns import Cell, Column, Kind, Unit
from al_service.survey.targets import UNITS, Target

QUANTITIES: Final = dict.fromkeys(Target, "phys.SFR") | {Target.Z: "src.redshift"}
"""UCD of what a target is about."""

UCDS: Final = {
    Target.Z: "src.redshift",
    Target.SFR_AVG: "phys.SFR;stat.mean",
    Target.SFR_ENTROPY: "stat.param;phys.SFR",
    Target.SFR_MEDIAN: "phys.SFR;stat.median",
    Target.SFR_MODE: "stat.value;phys.SFR",
    Target.SFR_P16: "stat.percentile;phys.SFR",
    Target.SFR_P2P5: "stat.percentile;phys.SFR",
    Target.SFR_P84: "stat.percentile;phys.SFR",
    Target.SFR_P97P5: "stat.percentile;phys.SFR",
}

DESCRIPTIONS: Final = {
    Target.Z: "spectroscopic redshift",
    Target.SFR_AVG: "mean of the posterior of log SFR",
    Target.SFR_ENTROPY: "entropy of the posterior of log SFR",
    Target.SFR_MEDIAN: "median of the posterior of log SFR",
    Target.SFR_MODE: "most probable log SFR",
    Target.SFR_P16: "16th percentile of log SFR",
    Target.SFR_P2P5: "2.5th percentile of log SFR",
    Target.SFR_P84: "84th percentile of log SFR",
    Target.SFR_P97P5: "97.5th percentile of log SFR",
}

ERROR_SUFFIX: Final = "_err"


def label_columns(name: str) -> tuple[Column, Column]:
    """A target's value and its error, as labels have them."""
    target = Target(name)
    unit = Unit(UNITS[name])
    said = DESCRIPTIONS[target]
    return (
        Column(name, Kind.NUMBER, said, UCDS[target], unit),
        Column(
            name + ERROR_SUFFIX,
            Kind.NUMBER,
            f"standard deviation: {said}",
            f"stat.error;{QUANTITIES[target]}",
            unit,
        ),
    )


SAID: Final = (
    ("epistemic", "standard deviation owed to the model's ignorance", "stat.stdev;{}"),
    ("aleatoric", "standard deviation owed to the data", "stat.stdev;{}"),
    ("low90", "lower end of the 90 % interval", "{};stat.min"),
    ("high90", "upper end of the 90 % interval", "{};stat.max"),
)
"""What is said of a prediction beside its mean: suffix, description, UCD around the
target's own."""


def prediction_columns(name: str) -> tuple[Column, ...]:
    """What the model says of a target."""
    target = Target(name)
    unit, about, said = Unit(UNITS[name]), QUANTITIES[target], DESCRIPTIONS[target]
    return (
        Column(
            f"{name}_mean", Kind.NUMBER, f"predicted {said}", f"{about};stat.fit", unit
        ),
        *(
            Column(f"{name}_{suffix}", Kind.NUMBER, text, ucd.format(about), unit)
            for suffix, text, ucd in SAID
        ),
        Column(
            f"{name}_calibrated",
            Kind.FLAG,
            "whether evaluation labels have calibrated the interval",
            "meta.code",
        ),
    )


def prediction_cells(said: object) -> Iterator[Cell]:
    """The cells of one target's prediction, in the order of its columns.

    Args:
        said: `{mean, epistemic, aleatoric, interval90, calibrated}`, or None.
    """
    if not isinstance(said, dict):
        yield from (None, None, None, None, None, False)
        return
    yield from (said.get(name) for name in ("mean", "epistemic", "aleatoric"))
    interval: Sequence[float | None] = said.get("interval90") or (None, None)
    yield from (interval[0], interval[1], bool(said.get("calibrated")))

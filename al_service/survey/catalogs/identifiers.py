"""Identifiers as text, and those that a float64 has rounded.

An SDSS `objid` has 19 digits; a float64 carries 16. Spreadsheets, pandas and some
exports round the last digits without a word, and every label then belongs to nobody.
The bits of an `objid`, low to high: object 16, field 12, first field 1, camcol 3,
run 16, rerun 11, sky version 4 (http://www.sdss.org/dr17/help/glossary/#objid); of a
`specobjid` the lowest ten are always zero.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.survey.catalogs.columns import Column, is_floating, texts

ADVICE: Final = (
    "it was rounded by a float64 on its way here; export it as text:"
    " SELECT CAST(objid AS varchar(20)) AS objid in SkyServer or CasJobs,"
    " dtype={'objid': str} in pandas.read_csv, text cells in a spreadsheet"
)

EXACT: Final = 2**53
"""Integers beyond are not all floats."""

SPECOBJID_STEP: Final = 2**10
"""Every specobjid is a multiple of this."""

FEW: Final = 3
"""So many multiples of 64 or more are no accident: 1 in 260,000."""

MAX_LENGTH: Final = 200


@dataclass
class RoundingWatch:
    """Looks at all identifiers of a column and judges at the end."""

    column: str
    long: int = 0
    """Identifiers beyond 2^53 that are multiples of what a float64 resolves."""
    exact: bool = False
    """One identifier has digits that no float64 keeps: the column is sound."""

    def see(self, column: Column, names: NDArray[np.object_]) -> None:
        """Look at a part of the column.

        Args:
            column: as it was read.
            names: the same as text.

        Raises:
            InvalidInput: the column is of floating-point numbers that cannot tell.
        """
        if is_floating(column):
            self._see_floats(column, names)
        if self.exact:
            return
        step = SPECOBJID_STEP if "spec" in self.column.lower() else 1
        for name in names:
            if name is None or not name.isdigit() or int(name) <= EXACT:
                continue
            number = int(name)
            spacing = int(math.ulp(float(number)))
            if number % spacing:
                self.exact = True
                return
            if spacing > step:
                self.long += 1

    def judge(self) -> None:
        """Refuse the column if a float64 has been there."""
        if not self.exact and self.long >= FEW:
            raise InvalidInput(
                f"column {self.column}: all {self.long} long identifiers are multiples"
                f" of what a float64 resolves: {ADVICE}"
            )

    def _see_floats(self, column: Column, names: NDArray[np.object_]) -> None:
        values = np.asarray(column, dtype=np.float64)
        if (np.abs(values[np.isfinite(values)]) > EXACT).any():
            raise InvalidInput(
                f"column {self.column}: expected text or integers, found floating-point"
                f" numbers beyond 2^53 ({names[0]}, …): {ADVICE}"
            )


def identifiers(column: Column) -> NDArray[np.object_]:
    """`N` identifiers as text; whole numbers without a point; None where empty."""
    if not is_floating(column):
        return texts(column)
    values = np.asarray(column, dtype=np.float64)
    return np.array(
        [*(_whole(value) for value in values.tolist()), None], dtype=object
    )[:-1]


def problem_of(name: str | None) -> str | None:
    """What is wrong with an identifier; None for a good one."""
    if name is None:
        return "expected an identifier, found nothing"
    if len(name) > MAX_LENGTH:
        return f"expected at most {MAX_LENGTH} characters, found {len(name)}"
    if not name.isprintable():
        return f"expected printable characters, found {name!r}"
    lowered = name.lower()
    if "e+" in lowered and lowered.replace("e+", "").replace(".", "").isdigit():
        return f"{name}: {ADVICE}"
    return None


def _whole(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() else repr(value)

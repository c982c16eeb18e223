"""Labels beside what the scan says of the same spectrum: worked out whenever read.

Nothing of it is stored: a label that any program wrote is compared as well, and so is
one that was there before its pool was scanned.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Double, Numeric, Select, case, cast, func, select
from sqlalchemy.orm import Session

from db.repositories.training import is_current
from db.tables import Label, RedshiftScan

SURE: Final = 0.95
"""Confidence from which the scan may doubt a label: of twenty such redshifts at most
one is wrong, and looking again costs a minute."""

APART: Final = 0.005
"""|dz| / (1 + z) beyond which two redshifts are two answers, as the scan itself tells
its candidates apart: 1500 km/s."""

APART_QUASAR: Final = 0.010
"""The same for quasars, whose lines are that broad and shifted among themselves."""

LARGEST_Z: Final = 1000
"""Numbers beyond are no redshifts; JSON has some that no float64 holds."""

DECIMALS: Final = 30
"""Of a redshift that are looked at: PostgreSQL refuses a float64 of 1e-400."""


@dataclass(frozen=True)
class LabelCheck:
    """What the scan of its object's spectrum says to a label's redshift."""

    scan_z: float
    scan_class: str
    """GALAXY, QSO or STAR."""
    confidence: float
    """Probability that the scan is right."""
    dz: float
    """(z of the label - z of the scan) / (1 + z of the scan)."""
    disagrees: bool
    """Whether the label deserves a second look: the scan is sure of something else."""


def told_z() -> ColumnElement[float | None]:
    """A label's redshift; NULL where it has none that is a number."""
    value = cast(Label.values["z"].astext, Numeric)
    return case(
        (func.jsonb_typeof(Label.values["z"]) != "number", None),
        (
            value.between(-LARGEST_Z, LARGEST_Z),
            cast(func.round(value, DECIMALS), Double),
        ),
        else_=None,
    )


def dz() -> ColumnElement[float | None]:
    """How far a label is from the scan, over 1 + z; NULL without either."""
    return (told_z() - RedshiftScan.z) / (1 + RedshiftScan.z)


def disagrees() -> ColumnElement[bool]:
    """Whether the scan doubts a label; false where it says nothing."""
    apart = case((RedshiftScan.spectral_class == "QSO", APART_QUASAR), else_=APART)
    return func.coalesce(
        (RedshiftScan.confidence >= SURE) & (func.abs(dz()) > apart), False
    )


def check_columns() -> tuple[ColumnElement[Any], ...]:
    """The fields of a `LabelCheck`, in their order; NULL where there is none.

    The statement joins `RedshiftScan` to its labels with `with_scan`.
    """
    return (
        RedshiftScan.z.expression,
        RedshiftScan.spectral_class.expression,
        RedshiftScan.confidence.expression,
        dz(),
        disagrees(),
    )


def with_scan(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Labels joined to the scans of their objects, by the scans' primary key."""
    return statement.outerjoin(
        RedshiftScan, RedshiftScan.sky_object_id == Label.sky_object_id
    )


def check_of(fields: tuple[Any, ...]) -> LabelCheck | None:
    """The check of one row; None where label or scan say nothing of a redshift.

    Args:
        fields: of `check_columns`.
    """
    scan_z, scan_class, confidence, apart, doubted = fields
    if scan_z is None or apart is None:
        return None
    return LabelCheck(scan_z, scan_class, confidence, apart, doubted)


def count_flagged(session: Session, campaign_id: int) -> int:
    """How many labels that nobody has corrected deserve a second look."""
    statement = with_scan(select(func.count()).select_from(Label)).where(
        Label.campaign_id == campaign_id, is_current(), disagrees()
    )
    return session.scalar(statement) or 0

"""Labels as a table: the columns that `al label import` reads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from al_service.exports.columns import Block, Cell, Column, Fact, Heading, Kind, Unit
from al_service.exports.target_columns import label_columns

TIME_WIDTH: Final = len("2026-01-01T00:00:00.000000Z")

CLASS_WIDTH: Final = len("GALAXY")

FIRST: Final = (
    Column("id", Kind.WHOLE, "number of the label", "meta.record"),
    Column("object_id", Kind.TEXT, "name in the pool", "meta.id;meta.main"),
    Column(
        "ra", Kind.NUMBER, "right ascension, ICRS", "pos.eq.ra;meta.main", Unit.DEGREE
    ),
    Column(
        "dec", Kind.NUMBER, "declination, ICRS", "pos.eq.dec;meta.main", Unit.DEGREE
    ),
)

LAST: Final = (
    Column(
        "quality",
        Kind.SHORT,
        "0 nothing there to 4 confident; 3 and 4 train",
        "meta.code.qual",
    ),
    Column("labeler", Kind.TEXT, "who says it", "obs.observer", handwritten=True),
    Column("source", Kind.TEXT, "where it comes from", "meta.ref", handwritten=True),
    Column("note", Kind.TEXT, "remark", "meta.note", handwritten=True),
    Column("batch_id", Kind.WHOLE, "the batch that it answers", "meta.id.parent"),
    Column(
        "late",
        Kind.FLAG,
        "told without the reservation: late, or for somebody else's batch",
        "meta.code.status",
    ),
    Column(
        "supersedes",
        Kind.WHOLE,
        "number of the label that it corrects",
        "meta.id.assoc",
    ),
    Column(
        "superseded_by",
        Kind.WHOLE,
        "number of the label that corrects it",
        "meta.id.assoc",
    ),
    Column("created_at", Kind.TEXT, "when it was told, UTC", "time.creation"),
    Column(
        "scan_z",
        Kind.NUMBER,
        "redshift by the scan of the spectrum",
        "src.redshift;stat.fit",
    ),
    Column("scan_class", Kind.TEXT, "GALAXY, QSO or STAR by the scan", "src.class"),
    Column(
        "scan_confidence",
        Kind.NUMBER,
        "probability that the scan is right",
        "stat.probability;src.redshift",
    ),
    Column(
        "scan_dz",
        Kind.NUMBER,
        "(z - scan_z) / (1 + scan_z)",
        "src.redshift;arith.diff",
    ),
    Column(
        "flagged",
        Kind.FLAG,
        "the scan is sure of another redshift",
        "meta.code.status",
    ),
)

MEASURED: Final = ("object_id", "labeler", "source", "note")
"""Texts whose widths differ from table to table."""


def label_table_columns(targets: Sequence[str]) -> tuple[Column, ...]:
    """Columns of the labels of a campaign that predicts some targets."""
    return (*FIRST, *(c for target in targets for c in label_columns(target)), *LAST)


def label_heading(
    name: str,
    targets: Sequence[str],
    facts: Sequence[Fact],
    *,
    n_rows: int,
    widths: Mapping[str, int],
) -> Heading:
    """What is said of a campaign's labels before their rows.

    Args:
        name: of the table.
        targets: what the campaign predicts.
        facts: where the labels come from.
        n_rows: how many there are.
        widths: the most bytes of each of `MEASURED`.
    """
    return Heading(
        name,
        "Labels: what was measured on the objects of a campaign",
        label_table_columns(targets),
        tuple(facts),
        n_rows,
        {**widths, "created_at": TIME_WIDTH, "scan_class": CLASS_WIDTH},
    )


def label_block(rows: Iterable[Sequence[Any]], targets: Sequence[str]) -> Block:
    """Some labels as columns.

    Args:
        rows: id, object_id, ra, dec, values, errors, then as `LAST`; values and errors
            by target, JSON.
        targets: what the campaign predicts.
    """
    columns = [list(cells) for cells in zip(*rows, strict=True)]
    values, errors = columns[len(FIRST) : len(FIRST) + 2]
    measured: list[list[Cell]] = []
    for target in targets:
        measured.append([one.get(target) for one in values])
        measured.append([one.get(target) for one in errors])
    return [*columns[: len(FIRST)], *measured, *columns[len(FIRST) + 2 :]]

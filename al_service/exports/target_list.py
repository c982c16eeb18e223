"""A batch as a target list: what the telescope's tools are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from al_service.exports.columns import (
    Block,
    Cell,
    Column,
    Fact,
    Heading,
    Kind,
    Unit,
    widths_of,
)
from al_service.exports.finding_charts import chart_url, navigate_url
from al_service.exports.target_columns import prediction_cells, prediction_columns

COLUMNS: Final = (
    Column("object_id", Kind.TEXT, "name in the pool", "meta.id;meta.main"),
    Column(
        "ra", Kind.NUMBER, "right ascension, ICRS", "pos.eq.ra;meta.main", Unit.DEGREE
    ),
    Column(
        "dec", Kind.NUMBER, "declination, ICRS", "pos.eq.dec;meta.main", Unit.DEGREE
    ),
    Column("rank", Kind.WHOLE, "place in the strategy's order, from 0", "stat.rank"),
    Column("reason", Kind.TEXT, "why it is asked for", "meta.code.class"),
    Column(
        "score",
        Kind.NUMBER,
        "what a label would teach: summed noise-normalized epistemic variance",
        "stat.value",
    ),
    Column(
        "held", Kind.FLAG, "whether the batch still reserves it", "meta.code.status"
    ),
)

LINKS: Final = (
    Column("chart_url", Kind.TEXT, "finding chart, JPEG", "meta.ref.url"),
    Column("navigate_url", Kind.TEXT, "SkyServer around it", "meta.ref.url"),
    Column("object_url", Kind.TEXT, "its page in this service", "meta.ref.url"),
)


@dataclass(frozen=True)
class ListedTarget:
    """One object to observe."""

    object_id: str
    ra: float
    """ICRS, degrees."""
    dec: float
    rank: int | None
    reason: str
    score: float | None
    held: bool
    prediction: Mapping[str, Any] | None  # JSON by target
    object_url: str


def target_list_columns(targets: Sequence[str]) -> tuple[Column, ...]:
    """Columns of a target list whose model predicts some targets."""
    predicted = [column for one in targets for column in prediction_columns(one)]
    return (*COLUMNS, *predicted, *LINKS)


def target_list(
    name: str,
    listed: Sequence[ListedTarget],
    targets: Sequence[str],
    facts: Sequence[Fact],
) -> tuple[Heading, Block]:
    """A batch as one table.

    Args:
        name: of the batch.
        listed: its objects, in its order.
        targets: what its campaign predicts.
        facts: where it comes from.
    """
    columns = target_list_columns(targets)
    rows = [_row(one, targets) for one in listed]
    block = [list(cells) for cells in zip(*rows, strict=True)] or [[] for _ in columns]
    heading = Heading(
        name,
        "Objects to observe, chosen for what a label would teach",
        columns,
        tuple(facts),
        len(rows),
        widths_of(columns, block),
        repeats_facts=True,
    )
    return heading, block


def _row(one: ListedTarget, targets: Sequence[str]) -> list[Cell]:
    prediction = one.prediction or {}
    return [
        one.object_id,
        one.ra,
        one.dec,
        one.rank,
        one.reason,
        one.score,
        one.held,
        *(
            cell
            for target in targets
            for cell in prediction_cells(prediction.get(target))
        ),
        chart_url(one.ra, one.dec),
        navigate_url(one.ra, one.dec),
        one.object_url,
    ]

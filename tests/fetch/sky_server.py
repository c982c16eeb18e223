"""What SkyServer answers to a query for a sample: order, page and size, evaluated."""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from al_service.fetch.sample import COLUMNS
from tests.fetch.stock import Galaxy

_LARGEST_BIGINT: Final = 2**63 - 1
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
}


def answer_of(sql: str, galaxies: Sequence[Galaxy]) -> bytes:
    """The table that a query asks for, as CSV."""
    size = int(re.match(r"\s*SELECT TOP (\d+) ", sql)[1])  # type: ignore[index]  # a wrong query is a wrong test
    order = re.search(r"TOP \d+ (.*?) AS drawn", sql)[1]  # type: ignore[index]
    x = re.search(r"CROSS APPLY \(SELECT (.*?) AS x\)", sql)[1]  # type: ignore[index]
    after = re.search(r">= (\d+) ORDER BY", sql)
    rows = sorted(
        (
            int_sql(order, row | {"x": str(int_sql(x, row))}),
            int(row["specObjID"]),
            row,
        )
        for row in map(dict, galaxies)
    )
    lines = ["#Table1", ",".join(("drawn", *COLUMNS, "ends"))]
    lines += [
        ",".join((str(drawn), *(row[name] for name in COLUMNS), "1"))
        for drawn, _, row in rows
        if after is None or drawn >= int(after[1])
    ][:size]
    return ("\n".join(lines) + "\n").encode()


def int_sql(expression: str, row: Galaxy) -> int:
    """An integer expression of SQL Server; an overflow fails as it would there."""
    bare = re.sub(r"CAST\((.*?) AS bigint\)", r"\1", expression)
    tree = ast.parse(re.sub(r"\b[so]\.", "", bare), mode="eval")

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.BinOp):
            number = _OPERATORS[type(node.op)](value(node.left), value(node.right))
            assert 0 <= number <= _LARGEST_BIGINT, "bigint overflow"
            return number
        if isinstance(node, ast.Name):
            return int(row[node.id])
        assert isinstance(node, ast.Constant)
        return int(node.value)  # type: ignore[arg-type]  # digits

    return value(tree.body)

"""Learning curves with letters: a plot for terminals and logs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rich.text import Text

WIDTH: Final = 64
HEIGHT: Final = 15
"""Cells of the plotting area: fits a terminal of 80 columns."""

COLORS: Final = ("dodger_blue2", "dark_orange", "green", "magenta")

DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a Braille character, by row and column: each cell has 4 x 2 dots."""

BRAILLE: Final = 0x2800

MARKS: Final = "●■▲◆"
PLAIN_MARKS: Final = "ox+*"
PLAIN_DOT: Final = "."

MARGIN: Final = 0.08
"""Share of the range that stays free above and below the curves."""


@dataclass(frozen=True)
class Series:
    """One curve."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Frame:
    """The window onto the data; the vertical axis is logarithmic."""

    left: float
    right: float
    bottom: float
    top: float

    def column(self, x: float, cells: int) -> float:
        """Place of a value along the horizontal axis, in cells."""
        return (x - self.left) / (self.right - self.left) * (cells - 1)

    def row(self, y: float, cells: int) -> float:
        """Place of a value along the vertical axis, in cells from the top."""
        return (self.top - math.log(y)) / (self.top - self.bottom) * (cells - 1)

    def value(self, row: int, cells: int) -> float:
        """The value at the height of a row."""
        share = row / (cells - 1)
        return math.exp(self.top - share * (self.top - self.bottom))


class _Canvas:
    """Cells that hold dots of a curve, or the mark of one of its points."""

    def __init__(self) -> None:
        self.dots = [[0] * WIDTH for _ in range(HEIGHT)]
        self.marks: dict[tuple[int, int], int] = {}
        self.owners: dict[tuple[int, int], int] = {}

    def dot(self, row: float, column: float, owner: int) -> None:
        """Set one of the 4 x 2 dots of a cell."""
        down, right = round(row * 4 + 1.5), round(column * 2 + 0.5)
        cell = (min(down // 4, HEIGHT - 1), min(right // 2, WIDTH - 1))
        self.dots[cell[0]][cell[1]] |= DOTS[down % 4][right % 2]
        self.owners[cell] = owner

    def mark(self, row: float, column: float, owner: int) -> None:
        """Set the mark of a point."""
        self.marks[round(row), round(column)] = owner


def plot(series: Sequence[Series], *, x: str, y: str, plain: bool = False) -> Text:
    """Draw curves over a common window.

    Args:
        series: curves with positive values; those without points are left out.
        x: name of the horizontal axis.
        y: name of the vertical axis.
        plain: use ASCII only.

    Returns:
        Lines of text, colored.
    """
    drawn = [one for one in series if len(one.x)]
    if not drawn:
        return Text("no points yet")
    frame = _frame(drawn)
    canvas = _Canvas()
    for owner, one in enumerate(drawn):
        _draw(canvas, frame, one, owner)
    return _render(canvas, frame, drawn, x=x, y=y, plain=plain)


def _frame(series: Sequence[Series]) -> Frame:
    xs = [value for one in series for value in one.x]
    logs = [math.log(value) for one in series for value in one.y]
    left, right = min(xs), max(xs)
    if left == right:
        left, right = left - 1, right + 1
    spare = (max(logs) - min(logs)) * MARGIN or MARGIN
    return Frame(left, right, min(logs) - spare, max(logs) + spare)


def _draw(canvas: _Canvas, frame: Frame, one: Series, owner: int) -> None:
    places = [
        (frame.row(y, HEIGHT), frame.column(x, WIDTH))
        for x, y in zip(one.x, one.y, strict=True)
    ]
    for (row, column), (next_row, next_column) in pairwise(places):
        steps = max(
            2, round(2 * (next_column - column)), round(4 * abs(next_row - row))
        )
        for step in range(steps + 1):
            share = step / steps
            canvas.dot(
                row + share * (next_row - row),
                column + share * (next_column - column),
                owner,
            )
    for row, column in places:
        canvas.mark(row, column, owner)


def _render(
    canvas: _Canvas,
    frame: Frame,
    series: Sequence[Series],
    *,
    x: str,
    y: str,
    plain: bool,
) -> Text:
    marks = PLAIN_MARKS if plain else MARKS
    text = Text(f"{y}\n", style="bold")
    for row in range(HEIGHT):
        labeled = row % 4 == 1
        tick = f"{frame.value(row, HEIGHT):10.4g} " if labeled else " " * 11
        side = ("+" if labeled else "|") if plain else ("┤" if labeled else "│")
        text.append(tick + side, style="not bold dim")
        for column in range(WIDTH):
            text.append(*_cell(canvas, row, column, marks, plain=plain))
        text.append("\n")
    text.append(_floor(frame, plain=plain), style="not bold dim")
    text.append(f"\n{x:^{WIDTH + 24}}".rstrip() + "\n", style="not bold")
    for owner, one in enumerate(series):
        text.append(f"   {marks[owner % len(marks)]} ", style=_style(owner))
        text.append(one.name, style="not bold")
    return text


def _cell(
    canvas: _Canvas, row: int, column: int, marks: str, *, plain: bool
) -> tuple[str, str]:
    mark = canvas.marks.get((row, column))
    if mark is not None:
        return marks[mark % len(marks)], _style(mark)
    dots = canvas.dots[row][column]
    if not dots:
        return " ", ""
    character = PLAIN_DOT if plain else chr(BRAILLE + dots)
    return character, _style(canvas.owners[row, column])


def _style(owner: int) -> str:
    return f"not bold {COLORS[owner % len(COLORS)]}"


def _floor(frame: Frame, *, plain: bool) -> str:
    middle = (frame.left + frame.right) / 2
    line = "-" * WIDTH if plain else "─" * WIDTH
    corner = "+" if plain else "└"
    left, center, right = (
        f"{value:.4g}" for value in (frame.left, middle, frame.right)
    )
    numbers = (
        f"{left:<{WIDTH // 3}}{center:^{WIDTH // 3}}{right:>{WIDTH - 2 * (WIDTH // 3)}}"
    )
    return f"{' ' * 11}{corner}{line}\n{' ' * 12}{numbers}"

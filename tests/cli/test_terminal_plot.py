"""Curves in letters."""

import pytest

from al_service.cli.terminal_plot import HEIGHT, WIDTH, Series, plot

FALLING = Series("active", [100, 200, 400], [0.04, 0.03, 0.02])
RISING = Series("random", [100, 200, 400], [0.02, 0.03, 0.04])


def test_better_is_lower_and_more_labels_are_further_right() -> None:
    rows = plot([FALLING], x="labels", y="error", plain=True).plain.splitlines()
    marks = [
        (number, place)
        for number, row in enumerate(rows[1 : 1 + HEIGHT])
        for place, letter in enumerate(row)
        if letter == "o"
    ]
    assert len(marks) == 3
    assert marks == sorted(marks, key=lambda mark: mark[1])


def test_every_curve_has_its_mark_in_the_legend() -> None:
    legend = plot([FALLING, RISING], x="labels", y="error").plain.splitlines()[-1]
    assert "● active" in legend
    assert "■ random" in legend


def test_plain_plots_are_ascii() -> None:
    assert plot([FALLING, RISING], x="labels", y="error", plain=True).plain.isascii()


@pytest.mark.parametrize(
    "series",
    [
        Series("one point", [100], [0.04]),
        Series("flat", [100, 200], [0.04, 0.04]),
        Series("steep", [100, 101], [1e-9, 1e9]),
    ],
)
def test_odd_curves_fit_the_frame(series: Series) -> None:
    rows = plot([series], x="labels", y="error").plain.splitlines()
    assert max(len(row) for row in rows) <= WIDTH + 12


def test_nothing_to_draw_is_said() -> None:
    assert "no points yet" in plot([], x="labels", y="error").plain

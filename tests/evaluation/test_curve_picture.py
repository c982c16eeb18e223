"""Learning curves as pictures."""

from concurrent.futures import ThreadPoolExecutor

from al_service.evaluation.curve_picture import (
    Line,
    Panel,
    PictureKind,
    draw_curves,
)

LINE = Line("active", [100, 200], [0.04, 0.03], [0.03, None], [0.05, None])
EMPTY = Line("random", [], [], [], [])


def draw(*lines: Line) -> str:
    panel = Panel("RMSE of Δz / (1 + z)", lines)
    picture = draw_curves([panel], title="A title", kind=PictureKind.SVG)
    return picture.decode()


def test_the_same_curve_is_the_same_file() -> None:
    assert draw(LINE) == draw(LINE)


def test_a_curve_without_points_says_so() -> None:
    assert "no published run yet" in draw(EMPTY)
    assert "no published run yet" not in draw(LINE, EMPTY)


def test_many_threads_draw_the_same_pictures_as_one() -> None:
    alone = draw(LINE)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(lambda _: draw(LINE), range(8))) == {alone}


def test_a_png_begins_as_one() -> None:
    panel = Panel("RMSE", [LINE])
    picture = draw_curves([panel], title="", note="a note", kind=PictureKind.PNG)
    assert picture.startswith(b"\x89PNG")


def test_the_interval_of_a_single_point_is_drawn() -> None:
    alone = Line("active", [100], [0.04], [0.03], [0.05])
    without = Line("active", [100], [0.04], [None], [None])
    assert (
        draw(alone).count("LineCollection") == draw(without).count("LineCollection") + 1
    )

"""Waiting for a campaign to settle, without a clock."""

import io
import os
from collections.abc import Callable
from typing import Any

import pytest
import typer
from rich.console import Console

from al_service.cli.campaign_status import (
    Json,
    check_somebody_works,
    follow,
    status_table,
)
from al_service.errors import StackProblem
from al_service.settings import Settings

COUNTS = dict.fromkeys(
    (
        "labels",
        "trainable",
        "flagged",
        "free",
        "leased",
        "labeled",
        "evaluation_asked",
        "evaluation_labels",
    ),
    0,
)
RUN = {
    "id": 7,
    "kind": "head",
    "state": "running",
    "stale": False,
    "progress": 0.25,
    "eta_seconds": 3.0,
}


def status(**changes: Any) -> Json:  # Any: fields of a status
    return {
        "name": "night",
        "state": "active",
        "pool": "sky",
        "targets": ["z"],
        "strategy": {"name": "lcmd"},
        "counts": COUNTS,
        "served_run_id": None,
        "live_runs": [],
        "due": [],
        "failures": [],
        "next_retrain": {"labels": 5, "seconds": None},
        **changes,
    }


def looks(*answers: Json) -> Callable[[], Json]:
    left = list(answers)
    return lambda: left.pop(0)


BUSY, DUE, DONE = status(live_runs=[RUN]), status(due=["full"]), status()


def test_waiting_ends_when_no_run_is_live_and_none_is_due() -> None:
    screen, pauses = io.StringIO(), list[float]()
    shown = follow(
        looks(BUSY, DUE, DONE, BUSY),
        console=Console(file=screen),
        wait=True,
        watch=False,
        pause=pauses.append,
    )
    assert shown == DONE
    assert len(pauses) == 2
    assert "night" not in screen.getvalue()


def test_watching_shows_every_look_until_ctrl_c() -> None:
    screen = io.StringIO()

    def pause(_: float) -> None:
        if "head run" not in screen.getvalue():
            return
        raise KeyboardInterrupt

    shown = follow(
        looks(DONE, BUSY),
        console=Console(file=screen, force_terminal=True, width=100),
        wait=False,
        watch=True,
        pause=pause,
    )
    assert shown == BUSY
    assert "head run 7 running (25%, 3 s to go)" in screen.getvalue()


def test_a_pipe_gets_one_plain_block_per_change() -> None:
    """It got the codes that move a cursor, or nothing before the end."""
    screen, count = io.StringIO(), 0

    def pause(_: float) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt

    follow(
        looks(BUSY, BUSY, DONE),
        console=Console(file=screen, width=100),
        wait=False,
        watch=True,
        pause=pause,
    )
    text = screen.getvalue()
    assert "\x1b" not in text
    assert text.count("campaign") == 2
    assert text.index("head run 7") < text.index("nothing")


@pytest.mark.parametrize("then", [BUSY, DONE], ids=["the same", "a change"])
def test_watching_ends_quietly_when_nobody_reads_any_more(then: Json) -> None:
    reading, writing = os.pipe()
    with open(writing, "w") as pipe:  # noqa: PTH123 - a number, no path

        def pause(_: float) -> None:
            assert b"head run 7" in os.read(reading, 10_000)
            os.close(reading)

        with pytest.raises(typer.Exit) as ended:
            follow(
                looks(BUSY, then),
                console=Console(file=pipe, width=100),
                wait=False,
                watch=True,
                pause=pause,
            )
        assert ended.value.exit_code == 0


def test_the_last_failure_of_a_kind_is_shown_with_what_to_do() -> None:
    failure = {"shown": "full run 9 failed: no memory [left]", "advice": "buy some"}
    screen = io.StringIO()
    table = status_table(status(failures=[failure]))
    Console(file=screen, width=100).print(table)
    assert "full run 9 failed: no memory [left]" in screen.getvalue()
    assert "buy some" in screen.getvalue()


def test_nobody_waits_for_what_nobody_will_do() -> None:
    alone, served = Settings(), Settings(broker_url="redis://127.0.0.1/0")
    with pytest.raises(StackProblem, match="al up"):
        check_somebody_works(BUSY, alone)
    check_somebody_works(BUSY, served)
    check_somebody_works(DONE, alone)

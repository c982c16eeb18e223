"""Waiting for a campaign to settle, without a clock."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from al_service.cli.campaign_status import Json, check_somebody_works, follow
from al_service.errors import StackProblem
from al_service.settings import Settings

COUNTS = dict.fromkeys(
    (
        "labels",
        "trainable",
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


def test_nobody_waits_for_what_nobody_will_do() -> None:
    alone, served = Settings(), Settings(broker_url="redis://127.0.0.1/0")
    with pytest.raises(StackProblem, match="al up"):
        check_somebody_works(BUSY, alone)
    check_somebody_works(BUSY, served)
    check_somebody_works(DONE, alone)

"""Where a campaign stands, for people and programs, once or until it settles."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from al_service.cli.blocks import Blocks
from al_service.errors import StackProblem
from al_service.rounds import progress
from al_service.rounds.failures import last_failures
from al_service.settings import Settings
from db.tables import Campaign

Json = dict[str, Any]  # for people and programs to read: any shape

LOOK_SECONDS: Final = 1.0
"""Between two looks: a head run takes seconds."""


def status_json(
    session: Session, campaign: Campaign, *, stale_after: timedelta
) -> Json:
    """A campaign as it stands, with the same names as over HTTP."""
    status = progress.campaign_status(session, campaign)
    return {
        "id": campaign.id,
        "name": campaign.name,
        "pool": status.pool,
        "state": campaign.state.value,
        "targets": campaign.targets,
        "model": campaign.model,
        "strategy": campaign.strategy,
        "retrain": campaign.retrain,
        "random_share": campaign.random_share,
        "overlap": campaign.overlap,
        "budget": campaign.budget,
        "evaluation_size": campaign.evaluation_size,
        "seed": campaign.seed,
        "served_run_id": campaign.served_run_id,
        "created_at": campaign.created_at.isoformat(timespec="seconds"),
        "counts": asdict(status.counts),
        "spent": status.spent,
        "live_runs": [
            _run(progress.show_run(session, run.id, stale_after=stale_after))
            for run in status.live_runs
        ],
        "failures": [
            asdict(failure) | {"advice": failure.advice, "shown": str(failure)}
            for failure in last_failures(session, campaign.id)
        ],
        "due": [kind.value for kind in status.due],
        "next_retrain": asdict(status.next_retrain),
    }


def _run(run: progress.RunView) -> Json:
    return {
        "id": run.id,
        "kind": run.kind.value,
        "state": run.state.value,
        "n_labels": run.n_labels,
        "progress": run.progress,
        "eta_seconds": run.eta_seconds,
        "stale": run.stale,
    }


def follow(
    look: Callable[[], Json],
    *,
    console: Console,
    wait: bool,
    watch: bool,
    pause: Callable[[float], None] = time.sleep,
) -> Json:
    """Look once, or until nothing is under way, or until Ctrl-C.

    Args:
        look: one look at the campaign.
        console: where it is shown.
        wait: end once no run is live and none is due.
        watch: show every look.
        pause: waits between looks; takes seconds.

    Returns:
        The last look.

    Raises:
        typer.Exit: the console is a pipe that nobody reads any more.
    """
    shown = look()
    if not (wait or watch):
        return shown
    with _screen(console, watch=watch) as show, suppress(KeyboardInterrupt):
        while True:
            show(shown)
            if wait and settled(shown):
                break
            pause(LOOK_SECONDS)
            shown = look()
    return shown


@contextmanager
def _screen(console: Console, *, watch: bool) -> Iterator[Callable[[Json], None]]:
    """How a look is shown: not at all, in place, or below the one before."""
    if not watch:
        yield lambda _: None
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda shown: live.update(status_table(shown), refresh=True)
    else:
        blocks = Blocks(console)
        yield lambda shown: blocks.show(status_table(shown))


def settled(shown: Json) -> bool:
    """Whether nothing is under way: no run is live, and none is due."""
    return not shown["live_runs"] and not shown["due"]


def check_somebody_works(shown: Json, settings: Settings) -> None:
    """Refuse to wait for what nobody will do.

    Raises:
        StackProblem: there is work, and no broker that a worker could hear.
    """
    if not settled(shown) and settings.broker_url is None:
        raise StackProblem(
            f"campaign {shown['name']!r} has work to do and nobody works here: start"
            " the workers with `al up`, then wait"
        )


def status_table(shown: Json) -> Table:
    """A campaign as it stands, for people."""
    counts = shown["counts"]
    grid = Table.grid(padding=(0, 2))
    for name, text in (
        ("campaign", f"{shown['name']} ({shown['state']}) on pool {shown['pool']}"),
        ("predicts", ", ".join(shown["targets"])),
        ("strategy", shown["strategy"]["name"]),
        ("labels", _labels(counts)),
        (
            "objects",
            f"{counts['free']} free, {counts['leased']} handed out,"
            f" {counts['labeled']} labeled",
        ),
        ("evaluation", _evaluation(counts)),
        ("serving run", str(shown["served_run_id"] or "none yet")),
        ("running now", _live(shown["live_runs"]) or "nothing"),
        ("next retrain", _next(shown["next_retrain"])),
    ):
        grid.add_row(f"[dim]{name}[/]", escape(text))
    for failure in shown["failures"]:
        grid.add_row("[red]failed[/]", escape(failure["shown"]))
        grid.add_row("", escape(f"→ {failure['advice']}"))
    return grid


def _labels(counts: Json) -> str:
    text = f"{counts['labels']} told, {counts['trainable']} that train"
    flagged = counts["flagged"]
    return f"{text}, {flagged} to look at again" if flagged else text


def _evaluation(counts: Json) -> str:
    if counts["evaluation_asked"] == 0:
        return "held-out objects of the pool whose labels are known"
    return f"{counts['evaluation_labels']} of {counts['evaluation_asked']} labels"


def _live(runs: list[Json]) -> str:
    return ", ".join(
        f"{run['kind']} run {run['id']} {_state(run)} ({run['progress']:.0%}"
        + (f", {run['eta_seconds']:.0f} s to go)" if run["eta_seconds"] else ")")
        for run in runs
    )


def _state(run: Json) -> str:
    if run["stale"]:
        return "running, but its worker has fallen silent"
    return str(run["state"])


def _next(due: Json) -> str:
    if due["labels"] is None:
        return "a full run is under way"
    text = f"in {due['labels']} labels"
    return text if due["seconds"] is None else f"{text} or {due['seconds']:.0f} s"

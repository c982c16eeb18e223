"""`al batch explain` and `al batch replay`: why a batch looks as it does."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from al_service.cli.home import DEFAULT_HOME, HomeOption, workplace
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.rounds.campaigns import LARGEST_NUMBER
from al_service.rounds.explaining import Explanation, Replayed, explain, replay

BatchArgument = Annotated[
    int,
    typer.Argument(metavar="ID", min=1, max=LARGEST_NUMBER, help="Number of a batch."),
]

Found = TypeVar("Found", Explanation, Replayed)

_DIGEST: Final = 12
"""Characters of a digest that people compare."""


def explain_batch(
    batch_id: BatchArgument,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Say of every object of a batch why it was handed out."""
    found = _reported(explain, batch_id, home, json_file)
    _show_reasons(console_for(json_file), found)


def replay_batch(
    batch_id: BatchArgument,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Make the order that a batch walked again, and compare it bit for bit."""
    found = _reported(replay, batch_id, home, json_file)
    _show_comparison(console_for(json_file), found)
    if not found.same_order:
        raise typer.Exit(1)


def _reported(
    look: Callable[..., Found], batch_id: int, home: Path, json_file: Path | None
) -> Found:
    """What there is to say of a batch, for programs already said."""
    with workplace(home) as place:
        found = look(batch_id, sessions=place.sessions, settings=place.settings)
    write_json(json_file, asdict(found))
    return found


def _show_reasons(console: Console, found: Explanation) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("object", "reason", "rank", "score", "near to", "before it"):
        table.add_column(name, overflow="fold")
    for item in found.items:
        table.add_row(
            item.object_id,
            item.reason,
            "" if item.rank is None else str(item.rank),
            "" if item.score is None else f"{item.score:.3g}",
            _near_text(item.near_to, item.distance),
            _near_text(item.near_to_in_batch, item.distance_in_batch),
        )
    console.print(table)
    console.print(
        f"order of {found.run_kind} run {found.run_id} by {found.strategy['name']}, "
        f"seed {found.seed}: {found.n_free} free, {found.n_taken} labeled or handed "
        f"out, {found.n_labels} labels; features {found.features_digest[:_DIGEST]}, "
        f"labels {found.label_digest[:_DIGEST]}, order {found.order_digest[:_DIGEST]}",
        highlight=False,
    )


def _show_comparison(console: Console, found: Replayed) -> None:
    if found.same_order:
        console.print(
            f"the same order bit for bit: run {found.run_id}, "
            f"digest {found.order_digest[:_DIGEST]}"
        )
        return
    console.print(
        f"expected the order {found.order_digest[:_DIGEST]} of run {found.run_id}, "
        f"found {found.found_digest[:_DIGEST]}; the features are "
        f"{'the same' if found.same_features else 'others'}; "
        f"{len(found.differing)} objects of the batch differ"
    )


def _near_text(name: str | None, distance: float | None) -> str:
    return "" if name is None or distance is None else f"{name} ({distance:.3g})"

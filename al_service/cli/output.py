"""Where a command's results go: JSON for programs, a console for people."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

STDOUT = Path("-")

JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the result as JSON; - for standard output.",
        show_default=False,
    ),
]


def console_for(json_file: Path | None) -> Console:
    """A console for people: standard error where standard output carries JSON."""
    return Console(stderr=json_file == STDOUT)


def write_json(json_file: Path | None, result: object) -> None:
    """Write the result where `--json` says; nothing without it.

    Raises:
        ValueError: A number is not finite: JSON has only null for that.
    """
    if json_file is None:
        return
    text = json.dumps(result, indent=2, allow_nan=False, default=str) + "\n"
    if json_file == STDOUT:
        sys.stdout.write(text)
        return
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(text, encoding="utf-8")

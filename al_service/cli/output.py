"""Where a command's results go: JSON for programs, a console for people."""

import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer
from rich.console import Console

STDOUT = Path("-")

PUBLIC: Final = 0o666
"""Mode of written files, less what the umask takes away."""

PRIVATE: Final = 0o600
"""Mode of files that carry a secret."""

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


def write_json(json_file: Path | None, result: object, *, mode: int = PUBLIC) -> None:
    """Write the result where `--json` says; nothing without it.

    Args:
        json_file: a file, or `STDOUT`.
        result: anything JSON has a form for, and times, written as over HTTP.
        mode: of the file; `PRIVATE` for secrets.

    Raises:
        ValueError: A number is not finite: JSON has only null for that.
    """
    if json_file is None:
        return
    text = json.dumps(result, indent=2, allow_nan=False, default=_as_text) + "\n"
    write_text(json_file, text, mode=mode)


def write_text(file: Path | None, text: str, *, mode: int = PUBLIC) -> None:
    """Write a report where an option says, `STDOUT` too; nothing without it."""
    if file is None:
        return
    if file == STDOUT:
        sys.stdout.write(text)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with _opened(file, mode) as opened:
        opened.write(text)


def expect_writable(option: str, file: Path | None) -> None:
    """Refuse before long work a file that could not be written after it.

    Args:
        option: what the user calls it, such as `--html`.
        file: None and `STDOUT` are fine; its folder is made.

    Raises:
        typer.BadParameter: The folder cannot be made or written, or it is no file.
    """
    if file is None or file == STDOUT:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            with file.open("ab"):
                return
        with tempfile.TemporaryFile(dir=file.parent):
            return
    except OSError as error:
        raise typer.BadParameter(
            f"{option}: expected a file that can be written, found {file}: "
            f"{error.strerror}"
        ) from error


def _opened(path: Path, mode: int) -> TextIO:
    if mode == PRIVATE:
        path.unlink(missing_ok=True)  # an older file keeps its older mode
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.fdopen(os.open(path, flags, mode), "w", encoding="utf-8")


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)

"""Files out of the service: asked for over HTTP, named when they are whole."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.console import Console

from al_service.cli.output import STDOUT, console_for, write_json
from al_service.client import Client
from al_service.errors import InvalidInput, StackProblem
from al_service.exports.formats import TableFormat, suffix_of
from al_service.local.home import open_home
from al_service.local.record import StackState, running_stack

PATIENCE_SECONDS: Final = 300.0
"""Until the first row of an answer: PostgreSQL sorts before it."""

OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="File to write; - for standard output. Default: named after its content.",
        show_default=False,
    ),
]

UrlOption = Annotated[
    str | None,
    typer.Option(
        envvar="AL_URL",
        help="The line that `al up` prints. Default: the stack of --home.",
        show_default=False,
    ),
]


def export_through(
    home: Path,
    url: str | None,
    save: Callable[[Client, Path], int],
    *,
    output: Path | None,
    name: str,
    kind: TableFormat,
    json_file: Path | None,
) -> None:
    """Let a client save a file, and say where it is.

    Args:
        home: whose stack is asked, unless a URL is given.
        url: of a service, with its token.
        save: writes a file and returns its bytes.
        output: the file; `-` is standard output.
        name: of the file without `output`, less its ending.
        kind: its format.
        json_file: where the result is reported.
    """
    if output == STDOUT == json_file:
        raise InvalidInput("--output and --json: only one can be standard output")
    path = output or Path(f"{name}.{suffix_of(kind)}")
    with Client(url or _address(home), timeout=PATIENCE_SECONDS) as client:
        size = _print(client, save) if path == STDOUT else save(client, path)
    # Standard output is for the table, or for JSON.
    console = Console(stderr=True) if path == STDOUT else console_for(json_file)
    console.print(f"{path}: {size:,} bytes", highlight=False)
    report = {"file": str(path), "format": kind.value, "bytes": size}
    write_json(json_file, report)


def _address(home: Path) -> str:
    """Where the stack of a home answers, with its token.

    Raises:
        StackProblem: none runs there.
    """
    # A folder that is not there stays so: only commands that need a home make one.
    stack = running_stack(open_home(home)) if home.expanduser().is_dir() else None
    if stack is None or stack.state is not StackState.READY:
        raise StackProblem(
            f"no stack runs in {home}: start one with al up, or give --url"
        )
    return stack.url


def _print(client: Client, save: Callable[[Client, Path], int]) -> int:
    """Write to standard output what is whole, and nothing otherwise."""
    with TemporaryDirectory(prefix="al-export-") as folder:
        path = Path(folder) / "table"
        size = save(client, path)
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return size

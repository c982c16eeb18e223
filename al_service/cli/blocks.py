"""What a person watches, in a pipe or a file: plain blocks, one per change."""

import os
import select
from typing import IO

import typer
from rich.console import Console, RenderableType


class Blocks:
    """Blocks of text without control codes, flushed, and an end with the reader."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def show(self, content: RenderableType) -> None:
        """Write a block, unless it is the same as the last one.

        Raises:
            typer.Exit: nobody reads any more; that is no failure.
        """
        with self._console.capture() as captured:
            self._console.print(content, highlight=False)
        file, block = self._console.file, captured.get()
        try:
            if block != self._last:
                file.write(f"{block}\n")
                file.flush()
            elif _is_closed(file):
                raise BrokenPipeError
        except BrokenPipeError as error:
            _let_go(file)
            raise typer.Exit from error
        self._last = block


def _is_closed(file: IO[str]) -> bool:
    """Whether a pipe's reader has gone: nothing is written that would tell."""
    if not _has_number(file):
        return False
    watcher = select.poll()
    watcher.register(file.fileno(), 0)
    return any(event & select.POLLERR for _, event in watcher.poll(0))


def _let_go(file: IO[str]) -> None:
    """Send the rest nowhere: Python flushes standard output once more at its end."""
    if _has_number(file):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, file.fileno())
        os.close(nowhere)


def _has_number(file: IO[str]) -> bool:
    try:
        file.fileno()
    except OSError:  # in memory
        return False
    return True

"""Numbers on the command line: `nan` and `inf` are none."""

import math

import typer


def finite(value: float | None) -> float | None:
    """What an option's callback gives on.

    Limits alone do not do: nothing is below and nothing above `nan`.

    Raises:
        typer.BadParameter: it is not finite.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"expected a finite number, found {value}")
    return value

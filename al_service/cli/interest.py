"""Declared interest on the command line: `z>0.2:2`, `0.1<z<0.3:4`."""

import re
from typing import Final

import typer
from pydantic import ValidationError

from al_service.acquisition.interest import Interest

_NUMBER: Final = r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?"

_FORMS: Final = (
    re.compile(
        rf"(?P<low>{_NUMBER})<(?P<target>\w+)<(?P<high>{_NUMBER}):(?P<weight>{_NUMBER})"
    ),
    re.compile(rf"(?P<target>\w+)>(?P<low>{_NUMBER}):(?P<weight>{_NUMBER})"),
    re.compile(rf"(?P<target>\w+)<(?P<high>{_NUMBER}):(?P<weight>{_NUMBER})"),
)


def parse_interest(text: str) -> Interest:
    """A range of a target and how much more it matters.

    Raises:
        BadParameter: It is neither form, or the target or the range does not exist.
    """
    for form in _FORMS:
        found = form.fullmatch(text.replace(" ", ""))
        if found is not None:
            try:
                return Interest.model_validate(_numbers(found.groupdict()))
            except ValidationError as error:
                said = "; ".join(one["msg"] for one in error.errors())
                raise typer.BadParameter(f"--interest {text}: {said}") from error
    raise typer.BadParameter(
        f"--interest: expected a range and a weight such as z>0.2:2, found {text!r}"
    )


def _numbers(parts: dict[str, str]) -> dict[str, str | float]:
    return {
        name: part if name == "target" else float(part) for name, part in parts.items()
    }

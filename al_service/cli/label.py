"""`al label`: labels out of files."""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import track

from al_service.cli.batch import LabelerOption
from al_service.cli.home import DEFAULT_HOME, HomeOption, workplace
from al_service.cli.label_file import LabelRow, read_label_file
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.errors import InvalidLabels, Problem
from al_service.rounds import campaigns, labeling

CHUNK: Final = 1000
"""Labels stored in one transaction: locks are held for moments only."""

LONG_FILE: Final = 3000
"""Labels that take seconds to store: above, a bar shows how far it is."""

app = typer.Typer(help="Hand in labels.", no_args_is_help=True)


@app.callback()
def label() -> None:
    """Hand in labels."""


@app.command("import")
def import_labels(
    campaign: Annotated[str, typer.Argument(help="Name or number of the campaign.")],
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="CSV with object_id, a column per target, and quality, note, source"
            " and TARGET_err where they are known.",
        ),
    ],
    batch: Annotated[
        int | None, typer.Option(help="The batch that the labels answer.")
    ] = None,
    labeler: LabelerOption = None,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Store the labels of a file: all of them, or none and every bad row named.

    An import that was cut off is simply repeated: labels are not stored twice.
    """
    rows = read_label_file(file)
    name, console = labeler or getpass.getuser(), console_for(json_file)
    stored: list[labeling.StoredLabel] = []
    with workplace(home) as place:
        with _naming_lines(file, rows), place.sessions.begin() as session:
            found = campaigns.find_campaign(session, campaign)
            labeling.check(
                session,
                found,
                labeler=name,
                batch_id=batch,
                labels=[row.label for row in rows],
            )
        for first in track(
            range(0, len(rows), CHUNK),
            "storing labels",
            console=console,
            disable=len(rows) <= LONG_FILE,
        ):
            chunk = rows[first : first + CHUNK]
            with _naming_lines(file, chunk), place.sessions.begin() as session:
                stored += labeling.tell(
                    session,
                    found,
                    labeler=name,
                    batch_id=batch,
                    labels=[row.label for row in chunk],
                    source_default=file.name,
                )
        place.doorbell.plan(found.id)
    console.print(
        f"{len(stored)} labels of {file} stored in {found.name}", highlight=False
    )
    write_json(json_file, {"labels": [asdict(one) for one in stored]})


@contextmanager
def _naming_lines(file: Path, rows: Sequence[LabelRow]) -> Iterator[None]:
    """`labels[3].values.z` is of no use to somebody who looks at line 5 of a file."""
    try:
        yield
    except InvalidLabels as error:
        raise InvalidLabels(
            [
                Problem(_place(problem.where, file, rows), problem.message)
                for problem in error.problems
            ]
        ) from error


def _place(where: str, file: Path, rows: Sequence[LabelRow]) -> str:
    number, _, field = where.removeprefix("labels[").partition("]")
    return f"{file}:{rows[int(number)].line}: {field.lstrip('.')}"

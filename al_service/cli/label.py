"""`al label`: labels out of files."""

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from al_service.cli.batch import LabelerOption
from al_service.cli.home import DEFAULT_HOME, HomeOption, workplace
from al_service.cli.label_file import LabelRow, read_label_file
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.errors import InvalidLabels, Problem
from al_service.rounds import campaigns, labeling

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
    """Store the labels of a file: all of them, or none and every bad row named."""
    rows = read_label_file(file)
    with workplace(home) as place:
        with place.sessions.begin() as session:
            found = campaigns.find_campaign(session, campaign)
            try:
                stored = labeling.tell(
                    session,
                    found,
                    labeler=labeler or getpass.getuser(),
                    batch_id=batch,
                    labels=[row.label for row in rows],
                    source_default=file.name,
                )
            except InvalidLabels as error:
                raise InvalidLabels(_by_line(error.problems, file, rows)) from error
        place.doorbell.plan(found.id)
    console_for(json_file).print(
        f"{len(stored)} labels of {file} stored in {found.name}", highlight=False
    )
    write_json(json_file, {"labels": [asdict(one) for one in stored]})


def _by_line(
    problems: Sequence[Problem], file: Path, rows: Sequence[LabelRow]
) -> list[Problem]:
    """`labels[3].values.z` is of no use to somebody who looks at line 5 of a file."""
    return [
        Problem(_place(problem.where, file, rows), problem.message)
        for problem in problems
    ]


def _place(where: str, file: Path, rows: Sequence[LabelRow]) -> str:
    number, _, field = where.removeprefix("labels[").partition("]")
    return f"{file}:{rows[int(number)].line}: {field.lstrip('.')}"

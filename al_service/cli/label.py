"""`al label`: labels out of files."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from al_service.cli.batch import LabelerOption
from al_service.cli.home import DEFAULT_HOME, HomeOption, account_name, workplace
from al_service.cli.label_check import CHECKED, check_rows, naming_lines
from al_service.cli.label_file import read_labels
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.rounds import campaigns, labeling

CHUNK: Final = 1000
"""Labels stored in one transaction: locks are held for moments only."""

LONG_FILE: Final = 100_000
"""Bytes of some 3000 labels, which take two seconds: above, bars show how far it is."""

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
    name, console = labeler or account_name(), console_for(json_file)
    stored: list[labeling.StoredLabel] = []
    with _bars(file) as bars:
        with bars.open(
            file, "r", newline="", encoding="utf-8-sig", description="reading"
        ) as lines:
            rows = read_labels(lines, file)
        with workplace(home) as place:
            with place.sessions() as session:
                found = campaigns.find_campaign(session, campaign)
                check_rows(
                    session,
                    found,
                    file,
                    rows,
                    labeler=name,
                    batch_id=batch,
                    watch=bars.track(
                        range(0, len(rows), CHECKED), description="checking"
                    ),
                )
            for first in bars.track(range(0, len(rows), CHUNK), description="storing"):
                chunk = rows[first : first + CHUNK]
                with naming_lines(file, chunk), place.sessions.begin() as session:
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


def _bars(file: Path) -> Progress:
    """Bars on standard error, gone when they are done; none for a short file."""
    return Progress(
        *Progress.get_default_columns(),
        console=Console(stderr=True),
        transient=True,
        disable=file.stat().st_size <= LONG_FILE,
    )

"""`al label`: labels out of files, and into files."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from al_service.cli.batch import LabelerOption
from al_service.cli.exporting import OutputOption, UrlOption, export_through
from al_service.cli.finite import finite
from al_service.cli.home import DEFAULT_HOME, HomeOption, account_name
from al_service.cli.interruption import interruptible
from al_service.cli.label_flags import show_flagged
from al_service.cli.label_import import LabelImport, carry_out, kind_of
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.exports.formats import TableFormat
from al_service.rounds.campaigns import LARGEST_NUMBER
from al_service.rounds.label_matching import LabelMatch
from al_service.survey.label_files.file_label import LabelFormat
from al_service.survey.positions import LARGEST_RADIUS_ARCSEC, MATCH_RADIUS_ARCSEC

app = typer.Typer(
    help="Hand in labels, write them to files.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def label() -> None:
    """Hand in labels, write them to files."""


@app.command("import")
def import_labels(
    campaign: Annotated[str, typer.Argument(help="Name or number of the campaign.")],
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="A table with object_id, a column per target, and quality, note,"
            " source and TARGET_err where they are known; or a survey's or an"
            " inspector's file.",
        ),
    ],
    kind: Annotated[
        LabelFormat | None,
        typer.Option("--format", help="Kind of the file; default: by its columns."),
    ] = None,
    info: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="gal_info_dr7 beside MPA-JHU's rates."
        ),
    ] = None,
    match: Annotated[
        LabelMatch, typer.Option(help="How labels of surveys find their objects.")
    ] = LabelMatch.ID,
    radius: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=LARGEST_RADIUS_ARCSEC,
            callback=finite,
            help="Arcseconds, with --match position.",
        ),
    ] = MATCH_RADIUS_ARCSEC,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1, max=LARGEST_NUMBER, help="The batch that the labels answer."
        ),
    ] = None,
    labeler: LabelerOption = None,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Store the labels of a file: none before all were found good, or bad rows named.

    A thousand at a time are stored. An import that was cut off is simply repeated:
    labels are not stored twice.
    """
    request = LabelImport(
        file=file,
        kind=kind or kind_of(file),
        info=info,
        match=match,
        radius_arcsec=radius,
        labeler=labeler or account_name(),
        batch_id=batch,
    )
    with interruptible("labels that were stored stay: repeat the command"):
        result = carry_out(request, campaign, home)
    console = console_for(json_file)
    for line in result.lines():
        console.print(line, highlight=False)
    show_flagged(console, result.stored)
    write_json(
        json_file,
        {
            "labels": [asdict(one) for one in result.stored],
            "n_new": result.n_new,
            "left_out": dict(result.left_out),
        },
    )


@app.command("export")
def export_labels(
    campaign: Annotated[str, typer.Argument(help="Name or number of the campaign.")],
    kind: Annotated[
        TableFormat, typer.Option("--format", help="Of the file.")
    ] = TableFormat.CSV,
    current: Annotated[
        bool, typer.Option("--current", help="Only labels that nobody has corrected.")
    ] = False,
    output: OutputOption = None,
    url: UrlOption = None,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Write every label of a campaign to a file that `al label import` reads."""
    export_through(
        home,
        url,
        lambda client, path: client.export_labels(
            campaign, path, kind=kind, current=current
        ),
        output=output,
        name=f"{campaign}-labels",
        kind=kind,
        json_file=json_file,
    )

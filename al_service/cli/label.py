"""`al label`: labels out of files, and into files."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from al_service.cli import label_file
from al_service.cli.batch import LabelerOption
from al_service.cli.exporting import OutputOption, UrlOption, export_through
from al_service.cli.home import DEFAULT_HOME, HomeOption, account_name, workplace
from al_service.cli.label_check import CHECKED, by_labeler, check_rows, naming_lines
from al_service.cli.label_file import LabelRow, is_csv, read_label_table
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.errors import UnreadableFile
from al_service.exports.formats import TableFormat
from al_service.rounds import campaigns, labeling
from al_service.rounds.label_matching import LabelMatch, MatchedLabels, match_labels
from al_service.survey.label_files.file_label import LabelFormat
from al_service.survey.label_files.reading import read_labels, sniff
from al_service.survey.positions import MATCH_RADIUS_ARCSEC

CHUNK: Final = 1000
"""Labels stored in one transaction: locks are held for moments only."""

LONG_FILE: Final = 100_000
"""Bytes of some 3000 labels, which take two seconds: above, bars show how far it is."""

app = typer.Typer(help="Hand in labels, write them to files.", no_args_is_help=True)


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
        float, typer.Option(min=0.0, help="Arcseconds, with --match position.")
    ] = MATCH_RADIUS_ARCSEC,
    batch: Annotated[
        int | None, typer.Option(help="The batch that the labels answer.")
    ] = None,
    labeler: LabelerOption = None,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Store the labels of a file: none before all were found good, or bad rows named.

    A thousand at a time are stored. An import that was cut off is simply repeated:
    labels are not stored twice.
    """
    name, console = labeler or account_name(), console_for(json_file)
    stored: list[labeling.StoredLabel] = []
    kind, left_out = kind or _kind(file), dict[str, int]()
    with _bars(file) as bars:
        rows = _read_own(file, bars) if kind is LabelFormat.OWN else []
        with workplace(home) as place:
            with place.sessions() as session:
                found = campaigns.find_campaign(session, campaign)
                if kind is not LabelFormat.OWN:
                    matched = match_labels(
                        session,
                        found,
                        read_labels(file, kind, info=info),
                        artifacts=place.settings.artifacts_folder,
                        match=match,
                        radius_arcsec=radius,
                    )
                    rows, left_out = _rows(matched), dict(matched.left_out)
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
            for who, chunk in bars.track(_chunks(rows, name), description="storing"):
                with (
                    naming_lines(file, chunk, n_stored=len(stored)),
                    place.sessions.begin() as session,
                ):
                    stored += labeling.tell(
                        session,
                        found,
                        labeler=who,
                        batch_id=batch,
                        labels=[row.label for row in chunk],
                        source_default=file.name,
                    )
            place.doorbell.plan(found.id)
    console.print(
        f"{len(stored)} labels of {file} stored in {found.name}", highlight=False
    )
    for reason, count in left_out.items():
        console.print(f"{count} left out: {reason}", highlight=False)
    write_json(
        json_file,
        {"labels": [asdict(one) for one in stored], "left_out": left_out},
    )


def _kind(file: Path) -> LabelFormat:
    """The kind of a file; one that is no table we know is left to our own reader."""
    try:
        return sniff(file)
    except UnreadableFile:
        return LabelFormat.OWN


def _read_own(file: Path, bars: Progress) -> list[LabelRow]:
    if not is_csv(file):
        return read_label_table(file)
    with bars.open(
        file, "r", newline="", encoding="utf-8-sig", description="reading"
    ) as lines:
        return label_file.read_labels(lines, file)


def _rows(matched: MatchedLabels) -> list[LabelRow]:
    return [
        LabelRow(
            int(place.rpartition(" ")[2]),
            label,
            labeler=labeler,
            noun=place.rpartition(" ")[0],
        )
        for label, place, labeler in zip(
            matched.labels, matched.places, matched.labelers, strict=True
        )
    ]


def _chunks(rows: list[LabelRow], name: str) -> list[tuple[str, list[LabelRow]]]:
    """Rows that are stored in one transaction, and who says them."""
    return [
        (who, group[first : first + CHUNK])
        for who, group in by_labeler(rows, name).items()
        for first in range(0, len(group), CHUNK)
    ]


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


def _bars(file: Path) -> Progress:
    """Bars on standard error, gone when they are done; none for a short file."""
    return Progress(
        *Progress.get_default_columns(),
        console=Console(stderr=True),
        transient=True,
        disable=file.stat().st_size <= LONG_FILE,
    )

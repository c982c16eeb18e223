"""`al batch`: the next objects to observe."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from al_service.cli.batch_explain import BatchArgument, explain_batch, replay_batch
from al_service.cli.batch_table import show_batch
from al_service.cli.exporting import OutputOption, UrlOption, export_through
from al_service.cli.home import DEFAULT_HOME, HomeOption, account_name, workplace
from al_service.cli.output import STDOUT, JsonOption, console_for, write_json
from al_service.exports.formats import TableFormat, TargetListFormat
from al_service.rounds import campaigns, leasing

app = typer.Typer(
    help="Ask for the next objects, write target lists.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("explain")(explain_batch)
app.command("replay")(replay_batch)

LabelerOption = Annotated[
    str | None,
    typer.Option(help="In whose name. Default: the account of this machine."),
]


@app.callback()
def batch() -> None:
    """Ask for the next objects, write target lists."""


@app.command("next")
def next_batch(
    campaign: Annotated[str, typer.Argument(help="Name or number of the campaign.")],
    size: Annotated[
        int, typer.Option(min=1, max=leasing.LARGEST_BATCH, help="How many objects.")
    ] = 10,
    lease_seconds: Annotated[
        float | None, typer.Option(help="How long they stay reserved. Default: a day.")
    ] = None,
    labeler: LabelerOption = None,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Reserve the next objects of a campaign and print them."""
    name = labeler or account_name()
    _check_writable(json_file)  # a batch that nobody can read would be lost
    with workplace(home) as place, place.sessions.begin() as session:
        asked = leasing.ask(
            session,
            campaigns.find_campaign(session, campaign),
            labeler=name,
            size=size,
            lease_seconds=lease_seconds,
        )
    show_batch(console_for(json_file), asked)
    write_json(json_file, _as_json(asked))


@app.command("export")
def export_batch(
    batch_id: BatchArgument,
    kind: Annotated[
        TargetListFormat, typer.Option("--format", help="Of the file.")
    ] = TargetListFormat.VOTABLE,
    output: OutputOption = None,
    url: UrlOption = None,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Write a batch as a target list, with units, finding charts and provenance."""
    export_through(
        home,
        url,
        lambda client, path: client.export_batch(batch_id, path, kind=kind),
        output=output,
        name=f"batch-{batch_id}",
        kind=TableFormat(kind),
        json_file=json_file,
    )


def _check_writable(json_file: Path | None) -> None:
    """Refuse a target that cannot be written, and leave it as it was."""
    if json_file is None or json_file == STDOUT:
        return
    json_file.parent.mkdir(parents=True, exist_ok=True)
    existed = json_file.exists()
    json_file.open("a").close()
    if not existed:
        json_file.unlink()


def _as_json(batch: leasing.Batch) -> dict[str, Any]:  # the same names as over HTTP
    return {
        **asdict(batch),
        "state": batch.state.value,
        "opened_at": batch.opened_at.isoformat(),
        "expires_at": batch.expires_at.isoformat(),
    }

"""The root of `al`: which nouns there are, and what a failure looks like."""

import importlib
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from al_service.errors import ALServiceError

EXIT_FAILED = 1


@dataclass(frozen=True)
class Noun:
    """Where a noun's commands are, known before they are loaded."""

    module: str
    """Below `al_service.cli`; it exports a `typer.Typer` named `app`."""
    help: str
    panel: str


RUN = "Run the service"
LOOP = "Ask, label, watch"
STUDY = "Study"

NOUNS: Mapping[str, Noun] = {
    "up": Noun("up", "Start the whole stack on this machine.", RUN),
    "demo": Noun("demo", "Run two campaigns on real galaxies, start to end.", RUN),
    "doctor": Noun("doctor", "Check what the service needs, and say what to do.", RUN),
    "api": Noun("api", "Serve HTTP.", RUN),
    "worker": Noun("worker", "Work off a queue, or keep the schedule.", RUN),
    "db": Noun("database", "Bring the database up to date.", RUN),
    "token": Noun("token", "Create, list and revoke tokens.", RUN),
    "pool": Noun("pool", "Pools of objects to choose from.", LOOP),
    "fetch": Noun("fetch", "Fetch a sample of SDSS: catalog, spectra, frames.", LOOP),
    "campaign": Noun("campaign", "Create, list and watch campaigns.", LOOP),
    "batch": Noun("batch", "Ask for the next objects, write target lists.", LOOP),
    "label": Noun("label", "Hand in labels, write them to files.", LOOP),
    "curve": Noun("curve", "Show a campaign's learning curve.", LOOP),
    "scan": Noun("scan", "Say the redshift and class of spectra.", STUDY),
    "replay": Noun("replay", "Compare strategies on labels that are known.", STUDY),
    "experiment": Noun("experiment", "Compare models on shared splits.", STUDY),
    "bench": Noun("bench", "Measure speed and memory against peers.", STUDY),
}


class LazyNouns(TyperGroup):
    """Lists the nouns without loading them: `al --help` imports no torch."""

    def list_commands(self, ctx: Any) -> list[str]:  # Any: typer hides its click
        """Names of the nouns, in the order of `NOUNS`."""
        del ctx
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # Any: as above
        """A noun's stand-in for the list of commands."""
        del ctx
        noun = NOUNS.get(cmd_name)
        if noun is None:
            return None
        return TyperCommand(
            cmd_name, help=noun.help, rich_help_panel=noun.panel, add_help_option=False
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Any: as above
        """The noun that was typed, loaded."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        if name is None or name not in NOUNS:
            return name, stand_in, rest
        module = importlib.import_module(f"al_service.cli.{NOUNS[name].module}")
        command = typer.main.get_command(module.app)
        command.name = name
        return name, command, rest


app = typer.Typer(
    cls=LazyNouns,
    help="An active-learning labeling loop for astronomical surveys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"al {version('al-service')}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """An active-learning labeling loop for astronomical surveys."""
    del show_version  # its callback has answered
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


def main() -> None:
    """What the `al` script runs: 0 done, 1 the work failed, 2 bad usage."""
    try:
        app()
    except (ALServiceError, OSError) as error:  # a full disk is nobody's bug
        typer.echo(f"al: {error}", err=True)
        sys.exit(EXIT_FAILED)

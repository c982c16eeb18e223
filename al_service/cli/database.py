"""`al db`: the tables."""

import typer

from al_service.cli.home import (
    DEFAULT_HOME,
    HomeOption,
    address,
    upgrade_tables,
    workplace,
)
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.rounds.pools import ensure_builtin_pools
from db.migrations.upgrade import current_revision

app = typer.Typer(
    help="Bring the database up to date.", no_args_is_help=True, add_completion=False
)


@app.callback()
def database() -> None:
    """Bring the database up to date."""


@app.command("upgrade")
def upgrade_command(
    home: HomeOption = DEFAULT_HOME, json_file: JsonOption = None
) -> None:
    """Create or upgrade the tables of AL_DATABASE_URL, or of the home's database."""
    with workplace(home) as place:
        upgrade_tables(place.settings)
        with place.sessions.begin() as session:
            ensure_builtin_pools(session, place.settings.artifacts_folder)
        revision = current_revision(address(place.settings))
    console_for(json_file).print(f"the database is at revision {revision}")
    write_json(json_file, {"revision": revision})

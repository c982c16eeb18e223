"""`al up`: the whole stack on this machine, from one command."""

import secrets
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from al_service.cli.home import (
    DEFAULT_HOME,
    HomeOption,
    account_name,
    address,
    announce_new,
    read_settings,
)
from al_service.errors import Conflict
from al_service.local.home import open_home, write_private
from al_service.local.stack import run_stack
from al_service.rounds.ownership import own_artifacts
from al_service.rounds.pools import ensure_builtin_pools
from al_service.rounds.tokens import authenticate, create_token
from al_service.settings import Settings
from db.migrations.upgrade import upgrade
from db.repositories.identity import database_identity
from db.session import create_database_engine, create_sessions
from db.vocabulary import Role

app = typer.Typer(add_completion=False)


@app.command()
def up(
    home: HomeOption = DEFAULT_HOME,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port of the API; 0 for any. Default: AL_PORT, 8151."
        ),
    ] = None,
) -> None:
    """Start PostgreSQL, Valkey, the API, two workers and the schedule.

    Prints one line with the page's address when everything answers; Ctrl-C ends
    everything. AL_DATABASE_URL, AL_BROKER_URL and AL_ARTIFACTS put real servers and
    another folder in the place of the embedded ones.
    """
    settings = read_settings(home, port=port)
    announce_new(home)
    typer.echo(f"starting in {home.resolve()}; logs in {home / 'logs'}", err=True)
    run_stack(home, settings, prepare=prepare, announce=typer.echo)
    typer.echo("stopped", err=True)


def prepare(settings: Settings) -> str:
    """Bring the tables up to date; the admin's token that belongs to this home."""
    upgrade(address(settings))
    engine = create_database_engine(address(settings))
    path = open_home(settings.home).path / "secrets" / "token"
    try:
        with create_sessions(engine).begin() as session:
            ours = database_identity(session)
        own_artifacts(settings.artifacts_folder, ours)
        with create_sessions(engine).begin() as session:
            ensure_builtin_pools(session, settings.artifacts_folder)
        with create_sessions(engine).begin() as session:
            if path.exists():
                kept = path.read_text(encoding="ascii").strip()
                token = authenticate(session, kept)
                if token is not None and _is_ours(token.name):
                    return kept
            secret = _new_token(session)
    finally:
        engine.dispose()
    write_private(path, secret)
    return secret


def _is_ours(name: str) -> bool:
    """Whether a token labels in the name under which commands of ours label."""
    return name == account_name() or name.startswith(f"{account_name()}-")


def _new_token(session: Session) -> str:
    """A token for the owner; another name where an earlier one's secret was lost."""
    try:
        _, secret = create_token(session, account_name(), Role.ADMIN)
    except Conflict:
        name = f"{account_name()}-{secrets.token_hex(3)}"
        _, secret = create_token(session, name, Role.ADMIN)
    return secret

"""`al token`: who may do what over HTTP."""

from typing import Annotated

import typer
from rich.table import Table

from al_service.cli.home import DEFAULT_HOME, HomeOption, workplace
from al_service.cli.output import PRIVATE, JsonOption, console_for, write_json
from al_service.rounds.tokens import create_token, list_tokens, revoke_token
from db.tables.access import ApiToken
from db.vocabulary import Role

app = typer.Typer(
    help="Create, list and revoke tokens.", no_args_is_help=True, add_completion=False
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is: the labeler's name.")],
    role: Annotated[Role, typer.Option(help="What it grants.")] = Role.LABELER,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Create a token; its secret is shown this once."""
    with workplace(home) as place, place.sessions.begin() as session:
        token, secret = create_token(session, name, role)
        shown = {**_as_json(token), "token": secret}
    console_for(json_file).print(secret, highlight=False, soft_wrap=True)
    write_json(json_file, shown, mode=PRIVATE)


@app.command("list")
def list_command(home: HomeOption = DEFAULT_HOME, json_file: JsonOption = None) -> None:
    """List tokens, without their secrets."""
    with workplace(home) as place, place.sessions() as session:
        tokens = [_as_json(token) for token in list_tokens(session)]
    table = Table("name", "role", "created", "revoked")
    for token in tokens:
        table.add_row(*(token[key] or "" for key in token))
    console_for(json_file).print(table)
    write_json(json_file, {"items": tokens})


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Whose token no longer counts.")],
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Revoke a token: the next request with it is refused."""
    with workplace(home) as place, place.sessions.begin() as session:
        token = _as_json(revoke_token(session, name))
    console_for(json_file).print(f"revoked {token['name']}")
    write_json(json_file, token)


def _as_json(token: ApiToken) -> dict[str, str | None]:
    revoked = token.revoked_at
    return {
        "name": token.name,
        "role": token.role.value,
        "created_at": token.created_at.isoformat(),
        "revoked_at": None if revoked is None else revoked.isoformat(),
    }

"""`al campaign`: opened, listed and watched."""

import json
from typing import Annotated, NoReturn

import typer
from pydantic import BaseModel, ValidationError
from rich.table import Table
from sqlalchemy.orm import Session

from al_service.acquisition.strategies import DEFAULT_STRATEGY, StrategyConfig
from al_service.cli.campaign_status import (
    Json,
    check_somebody_works,
    follow,
    status_json,
    status_table,
)
from al_service.cli.home import DEFAULT_HOME, HomeOption, Workplace, workplace
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.models.config import ModelConfig
from al_service.rounds import campaigns, pools
from db.tables import Campaign
from db.vocabulary import RunKind

app = typer.Typer(
    help="Create, list and watch campaigns.", no_args_is_help=True, add_completion=False
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="How it will be addressed.")],
    pool: Annotated[str, typer.Option(help="Pool that it draws from.")],
    strategy: Annotated[
        str, typer.Option(help="Name of a strategy, or its settings as JSON.")
    ] = DEFAULT_STRATEGY.value,
    targets: Annotated[
        str | None,
        typer.Option(
            help="What to predict, separated by commas. Default: what the pool has"
            " labels of, else all nine."
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Settings of the model as JSON.")] = "{}",
    retrain: Annotated[
        str, typer.Option(help="When to train, as JSON.", metavar="JSON")
    ] = "{}",
    random_share: Annotated[
        float, typer.Option(help="Probability that a slot of a batch is random.")
    ] = 0.1,
    overlap: Annotated[int, typer.Option(help="Labelers asked about one object.")] = 1,
    budget: Annotated[
        int | None, typer.Option(help="Objects that may be handed out. Default: all.")
    ] = None,
    evaluation_size: Annotated[
        int, typer.Option(help="Evaluation sample where the pool brings no labels.")
    ] = campaigns.EVALUATION_SIZE,
    seed: Annotated[int, typer.Option(help="Decides everything random.")] = 0,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Open a campaign; it can be asked at once."""
    new = _new_campaign(
        {
            "name": name,
            "pool": pool,
            "strategy": _strategy(strategy),
            "targets": None if targets is None else targets.split(","),
            "model": _validated(ModelConfig, "--model", _json("--model", model)),
            "retrain": _json("--retrain", retrain),
            "random_share": random_share,
            "overlap": overlap,
            "budget": budget,
            "evaluation_size": evaluation_size,
            "seed": seed,
        }
    )
    with workplace(home) as place:
        shown = _open(place, new)
    console_for(json_file).print(
        f"campaign {shown['name']} is open: {shown['counts']['free']} objects of"
        f" {pool} to ask for, strategy {shown['strategy']['name']},"
        f" targets {', '.join(shown['targets'])}",
        highlight=False,
    )
    write_json(json_file, shown)


@app.command("list")
def list_command(home: HomeOption = DEFAULT_HOME, json_file: JsonOption = None) -> None:
    """List campaigns, oldest first."""
    with workplace(home) as place, place.sessions() as session:
        items = [
            status_json(session, one, stale_after=place.settings.stale_after)
            for one in _all_campaigns(session)
        ]
    table = Table("id", "name", "pool", "strategy", "state", "labels", "created")
    for item in items:
        table.add_row(
            str(item["id"]),
            item["name"],
            item["pool"],
            item["strategy"]["name"],
            item["state"],
            str(item["counts"]["labels"]),
            item["created_at"],
        )
    console_for(json_file).print(table)
    write_json(json_file, {"items": items})


@app.command()
def status(
    name: Annotated[str, typer.Argument(help="Name or number of the campaign.")],
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Return when no run is live and none is due."),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on showing it, until Ctrl-C.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Show where a campaign stands and when it trains next.

    With both --wait and --watch it is shown until there is nothing to wait for.
    """
    console = console_for(json_file)
    with workplace(home) as place:
        stale_after = place.settings.stale_after

        def look() -> Json:
            with place.sessions() as session:
                campaign = campaigns.find_campaign(session, name)
                return status_json(session, campaign, stale_after=stale_after)

        if wait:
            check_somebody_works(look(), place.settings)
        shown = follow(look, console=console, wait=wait, watch=watch)
    if not watch:
        console.print(status_table(shown), highlight=False)
    write_json(json_file, shown)


def _new_campaign(fields: Json) -> campaigns.NewCampaign:
    try:
        return campaigns.NewCampaign.model_validate(fields)
    except ValidationError as error:
        raise typer.BadParameter(_problems(error)) from error


def _open(place: Workplace, new: campaigns.NewCampaign) -> Json:
    """Open a campaign, and ring for its first run."""
    with place.sessions.begin() as session:
        pools.ensure_builtin_pools(session, place.settings.artifacts_folder)
    with place.sessions.begin() as session:
        campaign = campaigns.create_campaign(session, new)
        shown = status_json(session, campaign, stale_after=place.settings.stale_after)
    for run in shown["live_runs"]:
        place.doorbell.run(run["id"], RunKind(run["kind"]))
    return shown


def _strategy(given: str) -> Json:
    """A strategy by its name, or all of its settings."""
    settings = _json("--strategy", given) if given.lstrip().startswith("{") else None
    return _validated(StrategyConfig, "--strategy", settings or {"name": given})


def _json(option: str, given: str) -> Json:
    try:
        value = json.loads(given, parse_constant=_refuse_constant)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: expected JSON, {error}") from error
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{option}: expected a JSON object, found {given!r}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    """`NaN` and `Infinity`, which Python reads and JSON does not have."""
    raise ValueError(f"found {name}")


def _validated(kind: type[BaseModel], option: str, settings: Json) -> Json:
    try:
        return kind.model_validate(settings).model_dump(mode="json")
    except ValidationError as error:
        raise typer.BadParameter(f"{option}: {_problems(error)}") from error


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}, found"
        f" {json.dumps(each['input'], default=str)}"
        for each in error.errors()
    )


def _all_campaigns(session: Session) -> list[Campaign]:
    found: list[Campaign] = []
    while page := campaigns.list_campaigns(session, found[-1].id if found else 0, 1000):
        found += page
    return found

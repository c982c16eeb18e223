"""`al pool`: what there is to label."""

from typing import Annotated, Any

import typer
from rich.table import Table

from al_service.cli.home import DEFAULT_HOME, HomeOption, workplace
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.cli.pool_import import import_pool
from al_service.cli.pool_scan import scan_json, scan_pool_command
from al_service.cli.pool_simulate import simulate
from al_service.rounds import pools, scanning
from al_service.survey.pool_arrays import PoolArrays
from db.tables import Pool

app = typer.Typer(
    help="Pools of objects to choose from.", no_args_is_help=True, add_completion=False
)
app.command("import")(import_pool)
app.command("simulate")(simulate)
app.command("scan")(scan_pool_command)


@app.command("list")
def list_command(home: HomeOption = DEFAULT_HOME, json_file: JsonOption = None) -> None:
    """List pools, the built-in one included."""
    with workplace(home) as place:
        with place.sessions.begin() as session:
            pools.ensure_builtin_pools(session, place.settings.artifacts_folder)
        with place.sessions() as session:
            items = [
                {
                    **_as_json(pool),
                    "scan": scan_json(scanning.scan_state(session, pool.id)),
                }
                for pool in pools.list_pools(session)
            ]
    table = Table("name", "objects", "has", "knows", "scan", "published")
    for item in items:
        table.add_row(
            item["name"],
            f"{item['n_objects']:,}",
            ", ".join(item["modalities"]),
            ", ".join(item["known_targets"]) or "no labels",
            item["scan"]["state"] if item["scan"] else "",
            item["published_at"],
        )
    console_for(json_file).print(table)
    write_json(json_file, {"items": items})


@app.command()
def validate(
    name: Annotated[str, typer.Argument(help="Name of the pool.")],
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Read every file of a pool and compare it with its digest."""
    with workplace(home) as place:
        with place.sessions() as session:
            pool = pools.find_pool(session, name)
        arrays = PoolArrays.open(
            place.settings.artifacts_folder / pool.arrays,
            digest=pool.manifest_digest,
            verify=True,
        )
    console_for(json_file).print(
        f"pool {name}: {arrays.n_objects:,} objects, every file is what its digest"
        " says",
        highlight=False,
    )
    write_json(json_file, {**_as_json(pool), "valid": True})


def _as_json(pool: Pool) -> dict[str, Any]:  # for people and programs: any shape
    published = pool.published_at
    return {
        "name": pool.name,
        "n_objects": pool.n_objects,
        "modalities": pool.modalities,
        "known_targets": pool.known_targets,
        "manifest_digest": pool.manifest_digest,
        "published_at": "" if published is None else f"{published:%Y-%m-%d %H:%M}",
    }

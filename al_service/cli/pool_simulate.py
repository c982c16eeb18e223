"""`al pool simulate`: real galaxies become a survey with images and spectra."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from rich.console import Console

from al_service.cli.amounts import in_bytes, in_time
from al_service.cli.finite import finite
from al_service.cli.home import DEFAULT_HOME, HomeOption, Workplace, workplace
from al_service.cli.interruption import interruptible
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.cli.progress_bars import progress_bars
from al_service.rounds.campaigns import LARGEST_NUMBER
from al_service.rounds.pools import find_pool
from al_service.rounds.simulating import simulate_pool
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.simulation.plan import (
    MOST_OBJECTS,
    SimulationPlan,
    plan_simulation,
)
from al_service.survey.simulation.settings import (
    SimulationSettings,
    default_settings,
    read_settings,
)

ASK_ABOVE_BYTES: Final = 20 * 10**9
"""A survey larger than this wants a yes."""


def _share(help_text: str) -> Any:  # Any: what typer.Option gives
    return typer.Option(min=0.0, max=1.0, callback=finite, help=help_text)


def simulate(
    name: Annotated[str, typer.Argument(help="Name of the new pool.")],
    objects: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_OBJECTS,
            help="How many; beyond 10,000 galaxies come again.",
        ),
    ],
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_NUMBER, help="Decides everything.")
    ] = 0,
    settings_file: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="TOML with settings that differ from the frozen ones.",
        ),
    ] = None,
    without_image: Annotated[float | None, _share("Share without an image.")] = None,
    without_spectrum: Annotated[
        float | None, _share("Share without a spectrum.")
    ] = None,
    without_photometry: Annotated[
        float | None, _share("Share without photometry.")
    ] = None,
    junk: Annotated[float | None, _share("Share that is no galaxy.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, write nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before large surveys.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Simulate a pool: images, spectra, photometry and nine labels of each object.

    Anchored to ten thousand real galaxies: fluxes and redshifts are theirs. The same
    arguments give the same pool; one that was interrupted is simply repeated.
    """
    settings = _settings(
        settings_file,
        without_image=without_image,
        without_spectrum=without_spectrum,
        without_photometry=without_photometry,
        junk=junk,
    )
    plan = plan_simulation(objects, settings)
    _show_plan(plan)
    if dry_run:
        write_json(json_file, {"plan": plan.as_json()})
        return
    if plan.size > ASK_ABOVE_BYTES and not yes:
        _ask(plan)
    with (
        interruptible("nothing of it is left: repeat the command"),
        workplace(home) as place,
    ):
        report = _carry_out(place, name, objects, settings, seed)
    _show(console_for(json_file), report)
    write_json(json_file, {**report, "plan": plan.as_json()})


def _settings(file: Path | None, **shares: float | None) -> SimulationSettings:
    settings = default_settings() if file is None else read_settings(file)
    given = {key: value for key, value in shares.items() if value is not None}
    return settings.with_changes({"gaps": given})


def _show_plan(plan: SimulationPlan) -> None:
    Console(stderr=True).print(
        f"{plan.objects:,} objects: {plan.images:,} images and {plan.spectra:,}"
        f" spectra, about {in_bytes(plan.size)}, about {in_time(plan.seconds)}",
        highlight=False,
        soft_wrap=True,
    )


def _ask(plan: SimulationPlan) -> None:
    size = in_bytes(plan.size)
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"expected --yes for a survey of {size} (--dry-run shows the plan)"
        )
    typer.confirm(f"Write {size}?", abort=True, err=True)


def _carry_out(
    place: Workplace, name: str, objects: int, settings: SimulationSettings, seed: int
) -> dict[str, Any]:  # Any: JSON
    with progress_bars() as progress:
        digest, unchanged = simulate_pool(
            place.sessions,
            name,
            objects,
            settings,
            artifacts=place.settings.artifacts_folder,
            seed=seed,
            progress=progress,
        )
    with place.sessions() as session:
        folder = find_pool(session, name).arrays
    arrays = PoolArrays.open(place.settings.artifacts_folder / folder)
    return {
        **_report(name, arrays, settings),
        "manifest_digest": digest,
        "unchanged": unchanged,
    }


def _show(console: Console, report: Mapping[str, Any]) -> None:  # Any: JSON
    console.print(
        f"pool {report['name']}: {report['objects']:,} objects of"
        f" {report['galaxies']:,} real galaxies, {report['images']:,} images,"
        f" {report['spectra']:,} spectra, {report['known_labels']:,} with known labels"
        + (", there already: nothing changed" if report["unchanged"] else ""),
        highlight=False,
    )


def _report(
    name: str, arrays: PoolArrays, settings: SimulationSettings
) -> dict[str, Any]:  # Any: JSON
    flags = arrays.flags
    return {
        "name": name,
        "settings_version": settings.version,
        "objects": len(arrays),
        "galaxies": len(set(arrays.group_ids.tolist())),
        "images": int(flags["image"].sum()),
        "spectra": int(flags["spectrum"].sum()),
        "photometry": int(flags["photometry"].sum()),
        "known_labels": int(np.isfinite(arrays.known_values).any(axis=1).sum()),
    }

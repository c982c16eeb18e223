"""`al pool simulate`: real galaxies become a survey with images and spectra."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from al_service.cli.home import DEFAULT_HOME, HomeOption, workplace
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.cli.progress_bars import progress_bars
from al_service.rounds.pools import find_pool
from al_service.rounds.simulating import simulate_pool
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.simulation.settings import (
    SimulationSettings,
    default_settings,
    read_settings,
)

ShareOption = float | None


def simulate(
    name: Annotated[str, typer.Argument(help="Name of the new pool.")],
    objects: Annotated[
        int, typer.Option(min=1, help="How many; beyond 10,000 galaxies come again.")
    ],
    seed: Annotated[int, typer.Option(min=0, help="Decides everything.")] = 0,
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
    without_image: Annotated[
        ShareOption, typer.Option(min=0.0, max=1.0, help="Share without an image.")
    ] = None,
    without_spectrum: Annotated[
        ShareOption, typer.Option(min=0.0, max=1.0, help="Share without a spectrum.")
    ] = None,
    without_photometry: Annotated[
        ShareOption, typer.Option(min=0.0, max=1.0, help="Share without photometry.")
    ] = None,
    junk: Annotated[
        ShareOption, typer.Option(min=0.0, max=1.0, help="Share that is no galaxy.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Simulate a pool: images, spectra, photometry and nine labels of each object.

    Anchored to ten thousand real galaxies: fluxes and redshifts are theirs. The same
    arguments give the same pool; one that was interrupted is simply repeated.
    """
    settings = (
        default_settings() if settings_file is None else read_settings(settings_file)
    )
    shares = {
        "without_image": without_image,
        "without_spectrum": without_spectrum,
        "without_photometry": without_photometry,
        "junk": junk,
    }
    given = {key: value for key, value in shares.items() if value is not None}
    settings = settings.with_changes({"gaps": given})
    with workplace(home) as place, progress_bars() as progress:
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
    report = _report(name, arrays, settings)
    console_for(json_file).print(
        f"pool {name}: {report['objects']:,} objects of {report['galaxies']:,} real"
        f" galaxies, {report['images']:,} images, {report['spectra']:,} spectra,"
        f" {report['known_labels']:,} with known labels"
        + (", there already: nothing changed" if unchanged else ""),
        highlight=False,
    )
    write_json(json_file, {**report, "manifest_digest": digest, "unchanged": unchanged})


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

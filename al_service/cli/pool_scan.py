"""`al pool scan`: redshifts of a pool's spectra, now instead of by a worker."""

import os
import socket
from typing import Annotated, Any

import typer
from rich.console import Console

from al_service.cli.home import DEFAULT_HOME, HomeOption, Workplace, workplace
from al_service.cli.interruption import interruptible
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.cli.progress_bars import progress_bars
from al_service.errors import ALServiceError
from al_service.rounds import pools, scanning
from db.tables import PoolScan
from db.vocabulary import ScanState


class ScanFailed(ALServiceError):
    """The spectra of a pool could not be scanned."""

    def __init__(self, name: str, message: str | None) -> None:
        super().__init__(
            f"the spectra of pool {name!r} could not be scanned: {message}; once that"
            f" is mended: al pool scan {name}"
        )


def scan_pool_command(
    name: Annotated[str, typer.Argument(help="Name of the pool.")],
    home: HomeOption = DEFAULT_HOME,
    json_file: JsonOption = None,
) -> None:
    """Scan what was not scanned yet; one that was interrupted goes on where it was."""
    with workplace(home) as place:
        scan = scan_now(place, name)
    _report(console_for(json_file), name, scan)
    write_json(json_file, {"name": name, "scan": scan_json(scan)})


def scan_now(place: Workplace, name: str) -> PoolScan | None:
    """Scan a pool's spectra, unless that is done or somebody does it.

    Returns:
        How far it is; None where there is nothing to scan.

    Raises:
        NotFound: there is no such pool.
        ScanFailed: its spectra could not be scanned.
        Interrupted: somebody wants an end.
    """
    with place.sessions() as session:
        pool = pools.find_pool(session, name)
    with (
        interruptible(f"what is scanned is kept: al pool scan {name} goes on"),
        progress_bars() as progress,
    ):
        scanning.ensure_scanned(
            pool.id,
            sessions=place.sessions,
            artifacts=place.settings.artifacts_folder,
            worker=f"{socket.gethostname()}:{os.getpid()} al pool",
            settings=place.settings,
            processes=2,
            on_progress=lambda done, total: progress("scanning spectra", done, total),
            again=True,
        )
    with place.sessions() as session:
        scan = scanning.scan_state(session, pool.id)
    if scan is not None and scan.state is not ScanState.DONE and scan.message:
        raise ScanFailed(name, scan.message)
    return scan


def scan_json(scan: PoolScan | None) -> dict[str, Any] | None:  # JSON: any shape
    """How far the scan of a pool is, for programs; None where there is none."""
    if scan is None:
        return None
    return {
        "state": scan.state.value,
        "version": scan.version,
        "progress": scan.progress,
        "message": scan.message,
    }


def _report(console: Console, name: str, scan: PoolScan | None) -> None:
    if scan is None:
        text = f"pool {name} has no spectra to scan"
    elif scan.state is ScanState.DONE:
        text = f"pool {name}: every spectrum is scanned"
    else:
        text = f"pool {name}: {scan.worker} scans it, {scan.progress:.0%} done"
    console.print(text, highlight=False)

"""`al scan`: redshift and class of spectra, without a database or a label."""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from al_service.cli.home import DEFAULT_HOME, HomeOption
from al_service.cli.output import JsonOption, console_for, write_json
from al_service.cli.scan_agreement import show_agreement
from al_service.errors import InvalidInput
from al_service.features.scan.scanning import ScanResult, scan
from al_service.survey.spectra import (
    BadSpectrum,
    Spectrum,
    find_spectrum_files,
    read_spectra,
)

_TOGETHER: Final = 64
"""Spectra in memory at a time."""

_SHOWN: Final = 3
"""Candidates in the table; JSON has all five."""

app = typer.Typer(add_completion=False)


class SomeSpectraFailed(InvalidInput):
    """Some files could not be read; the others were reported."""

    def __init__(self, problems: list[BadSpectrum], scanned: int) -> None:
        listed = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(
            f"{scanned} spectra scanned, {len(problems)} file(s) could not be:{listed}"
        )


@app.command("scan")
def scan_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="spec-*.fits, spPlate-*.fits (.gz, .bz2), or folders of them.",
        ),
    ],
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="Compare with what the files say of class and redshift."
        ),
    ] = False,
    json_file: JsonOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Say the redshift and class of spectra, with other candidates and a confidence.

    Confidence is the probability that the first candidate's redshift is right. A file
    that cannot be read is named, the others are scanned all the same, and the exit code
    is 1.
    """
    del home  # a scan needs neither database nor settings; every command takes it
    console = console_for(json_file)
    problems: list[BadSpectrum] = []
    paths = _paths(files, problems)
    items: list[dict[str, Any]] = []  # as the contract says
    with Progress(console=console, transient=True, disable=len(paths) < 2) as bar:
        task = bar.add_task("scan", total=len(paths))
        read = _read(paths, problems, advance=lambda: bar.advance(task))
        while some := list(islice(read, _TOGETHER)):
            items += _scan_some(some)
    write_json(json_file, items)
    _show(console, items)
    if compare:
        show_agreement(console, items)
    if problems:
        raise SomeSpectraFailed(problems, len(items))


def _paths(files: list[Path], problems: list[BadSpectrum]) -> list[Path]:
    paths: list[Path] = []
    for file in files:
        if not file.is_dir():
            paths.append(file)
            continue
        inside = find_spectrum_files(file)
        if not inside:
            problems.append(
                BadSpectrum(file, None, "no spec-*.fits and no spPlate-*.fits in it")
            )
        paths += inside
    return paths


def _read(
    paths: list[Path], problems: list[BadSpectrum], *, advance: Callable[[], None]
) -> Iterator[Spectrum]:
    for path in paths:
        try:
            yield from read_spectra(path)
        except BadSpectrum as problem:
            problems.append(problem)
        advance()


def _scan_some(spectra: list[Spectrum]) -> list[dict[str, Any]]:
    result = scan(
        np.stack([spectrum.flux for spectrum in spectra]),
        np.stack([spectrum.trusted_ivar for spectrum in spectra]),
    )
    return [_as_json(spectrum, result, i) for i, spectrum in enumerate(spectra)]


def _as_json(spectrum: Spectrum, result: ScanResult, i: int) -> dict[str, Any]:
    candidates = zip(
        result.candidate_z[i].tolist(),
        result.candidate_class[i].tolist(),
        result.candidate_gain[i].tolist(),
        strict=True,
    )
    return {
        "file": str(spectrum.path),
        "spectrum": spectrum.name,
        "candidates": [
            {"z": z, "class": name, "gain": gain}
            for z, name, gain in candidates
            if math.isfinite(z)
        ],
        "confidence": float(result.confidence[i]),
        "pipeline": {
            "z": spectrum.z if math.isfinite(spectrum.z) else None,
            "class": spectrum.spectral_class or None,
            "zwarning": spectrum.zwarning,
        },
        "sn_median": spectrum.sn_median,
    }


def _show(console: Console, items: list[dict[str, Any]]) -> None:
    table = Table("spectrum", "S/N", "class", "z", "confidence", "or else")
    for item in items:
        best, *others = item["candidates"] or [{"class": "none", "z": math.nan}]
        table.add_row(
            item["spectrum"],
            f"{item['sn_median']:.1f}",
            best["class"],
            f"{best['z']:.5f}",
            f"{item['confidence']:.0%}",
            ", ".join(
                f"{other['class']} {other['z']:.4f}" for other in others[: _SHOWN - 1]
            ),
        )
    if items:
        console.print(table)

"""Survey files become a pool, through the whole door, in a process of its own.

Its largest memory is that of importing: the database and the files' writer are others.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from al_service.cli.benchmarks.alone import Seen, alone, memory_row
from al_service.cli.benchmarks.stage import Stage, stage
from al_service.rounds.importing import import_files
from al_service.studies.speed.measuring import (
    Budget,
    Fact,
    Measurement,
    Size,
    peak_mb,
    timed,
)
from al_service.studies.speed.survey_files import (
    read_barely,
    read_catalog_barely,
    write_catalog,
    write_spectra,
)
from al_service.survey.importing.request import ImportRequest
from al_service.survey.spectra import find_spectrum_files
from db.session import create_database_engine, create_sessions

NAME: Final = "import"

FILES_A_SECOND: Final = 150
"""Spectra of a survey's plates in an hour on a laptop: half a million."""

ROWS_A_SECOND: Final = 1_000_000 / 120
"""A million rows of a catalog in two minutes."""


@dataclass(frozen=True)
class _Scale:
    spectra: int
    rows: int
    part: int
    """A second import of this part of it: memory that grows shows as a difference."""
    bare_spectra: int
    """Read by the peer, which is slow."""


_SCALES: Final = {
    Size.SMALL: _Scale(spectra=24, rows=1200, part=3, bare_spectra=8),
    Size.FULL: _Scale(spectra=10_000, rows=1_000_000, part=4, bare_spectra=500),
}


def measure(size: Size, home: Path) -> list[Measurement]:
    """Time `import_files` against bare readers, and look at its memory."""
    scale = _SCALES[size]
    with stage(home) as place:
        spectra = [
            _spectra(place, count, scale.bare_spectra)
            for count in (scale.spectra, scale.spectra // scale.part)
        ]
        rows = [
            _catalog(place, count) for count in (scale.rows, scale.rows // scale.part)
        ]
    return [
        *_rows_of(
            f"{scale.spectra:,} spectra files",
            "astropy's reading",
            spectra,
            Budget(at_most=scale.spectra / FILES_A_SECOND),
        ),
        *_rows_of(
            f"{scale.rows:,} catalog rows in CSV",
            "Arrow's reading",
            rows,
            Budget(at_most=scale.rows / ROWS_A_SECOND),
        ),
    ]


def _rows_of(
    what: str, peer: str, seen: list[Seen], budget: Budget
) -> list[Measurement]:
    whole, part = seen
    facts: dict[str, Fact] = {
        "a_second": whole.objects / whole.seconds,
        "objects": whole.objects,
    }
    return [
        Measurement(
            NAME,
            what,
            "s",
            whole.seconds,
            peer,
            whole.bare_seconds,
            budget=budget,
            facts={**facts, **whole.facts},
        ),
        memory_row(NAME, what, whole, part, begun="importing"),
    ]


def _spectra(place: Stage, count: int, bare: int) -> Seen:
    folder = place.artifacts.parent / f"spectra-{count}"
    write_spectra(folder, count)
    return _in_a_process(place, ImportRequest(spectra=folder), f"s{count}", bare)


def _catalog(place: Stage, count: int) -> Seen:
    path = place.artifacts.parent / f"catalog-{count}.csv"
    write_catalog(path, count)
    return _in_a_process(place, ImportRequest(catalog=path), f"c{count}", 0)


def _in_a_process(place: Stage, request: ImportRequest, name: str, bare: int) -> Seen:
    url = place.engine.url.render_as_string(hide_password=False)
    return alone(_import, request, url, place.artifacts, name, bare)


def _import(
    request: ImportRequest, url: str, artifacts: Path, name: str, bare: int
) -> Seen:
    """Import once; then read the same files at the barest."""
    engine = create_database_engine(url, pool_size=1)
    started = peak_mb()
    (seconds, processor), result = timed(
        lambda: import_files(
            create_sessions(engine),
            name,
            request,
            artifacts=artifacts,
            seed=0,
            rejected=artifacts / f"{name}.rejected.csv",
            skip_bad=False,
            progress=lambda *_: None,
        )
    )
    engine.dispose()
    peak = peak_mb()
    return Seen(
        seconds=seconds,
        bare_seconds=_bare_seconds(request, bare),
        started_mb=started,
        peak_mb=peak,
        objects=result.counts.objects,
        facts={"processor_s": processor},
    )


def _bare_seconds(request: ImportRequest, bare: int) -> float:
    """Of the peer, scaled to as many files or rows."""
    if request.catalog is not None:
        catalog = request.catalog
        (seconds, _), _rows = timed(lambda: read_catalog_barely(catalog))
        return seconds
    if request.spectra is None:
        raise ValueError("expected a catalog or spectra")
    files = find_spectrum_files(request.spectra)
    (seconds, _), _sum = timed(lambda: read_barely(files[:bare]))
    return seconds * len(files) / min(bare, len(files))

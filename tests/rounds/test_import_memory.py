"""Importing a catalog takes no more memory for a larger one."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from al_service.cli.benchmarks.alone import Seen, alone
from al_service.rounds.importing import import_files
from al_service.studies.speed.measuring import peak_mb
from al_service.survey.importing.request import ImportRequest
from db.session import create_database_engine, create_sessions
from tests.conftest import Database

PART, WHOLE = 80_000, 320_000

MOST_BYTES = 200
"""A row. So few show 100, most of which is room that is used again and again; up to a
million it is 40. Whole columns in memory were 290."""


def write_catalog(path: Path, n: int) -> None:
    table = {
        "object_id": pa.array(np.arange(n)).cast(pa.string()),
        "ra": pa.array(np.arange(n) % 10_000 * 0.02),
        "dec": pa.array(np.arange(n) // 10_000 * 0.02),
        "z": pa.array(np.full(n, 0.1)),
    }
    pq.write_table(pa.table(table), path)


def import_alone(url: str, folder: Path, n: int) -> Seen:
    """Import a catalog of `n` rows, in a process of its own."""
    engine = create_database_engine(url, pool_size=1)
    started = peak_mb()
    result = import_files(
        create_sessions(engine),
        f"sky-{n}",
        ImportRequest(folder / f"{n}.parquet"),
        artifacts=folder / "artifacts",
        seed=0,
        rejected=folder / "rejected.csv",
        skip_bad=False,
        progress=lambda *_: None,
    )
    engine.dispose()
    return Seen(0.0, 0.0, started, peak_mb(), result.counts.objects, {})


def test_four_times_the_rows_take_the_same_memory(
    database: Database, tmp_path: Path
) -> None:
    for n in (PART, WHOLE):
        write_catalog(tmp_path / f"{n}.parquet", n)
    part, whole = (
        alone(import_alone, database.url, tmp_path, n) for n in (PART, WHOLE)
    )
    assert (part.objects, whole.objects) == (PART, WHOLE)
    more = (whole.peak_mb - part.peak_mb) * 1e6 / (WHOLE - PART)
    assert more < MOST_BYTES, (part, whole)

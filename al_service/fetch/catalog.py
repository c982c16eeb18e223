"""The sample's catalog on disk, and the files of the archive that belong to it."""

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from al_service.errors import InvalidInput
from al_service.fetch.answers import CatalogRow
from al_service.fetch.problems import FetchProblem
from al_service.fetch.sample import COLUMNS, Sample
from al_service.fetch.sas import RemoteFile, frame_file, spectrum_file

CATALOG: Final = "catalog.csv"


def write_catalog(path: Path, rows: Iterable[CatalogRow]) -> int:
    """Write rows as they come; the file has its name when the last one is on disk.

    Returns:
        How many there were.

    Raises:
        FetchProblem: There was none.
    """
    partial = path.with_name(path.name + ".part")
    count = 0
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(row.values)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    if not count:
        partial.unlink()
        raise FetchProblem(
            "SkyServer found no object that meets the conditions: expected at least one"
        )
    partial.replace(path)
    return count


def read_catalog(path: Path) -> Iterator[CatalogRow]:
    """The rows of a catalog that `write_catalog` wrote, one at a time.

    Raises:
        InvalidInput: The file has other columns.
    """
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        header = tuple(next(lines, ()))
        if header != COLUMNS:
            raise InvalidInput(
                f"{path}: expected the columns {', '.join(COLUMNS[:5])}, …, "
                f"found {', '.join(header[:5])}, …"
            )
        for line in lines:
            yield CatalogRow(tuple(line), drawn=0)


def files_of(catalog: Path, sample: Sample) -> Iterator[RemoteFile]:
    """Every file that the sample wants, once, object by object.

    An interrupted transfer has whole objects first, not all spectra and no image.
    """
    seen: set[str] = set()
    for row in read_catalog(catalog):
        for file in files_of_row(row, sample):
            if file.name not in seen:
                seen.add(file.name)
                yield file


def files_of_row(row: CatalogRow, sample: Sample) -> Iterator[RemoteFile]:
    """What belongs to one object: its spectrum, its field in every band."""
    if sample.spectra:
        yield spectrum_file(row.observation, release=sample.release, full=sample.full)
    for band in sample.bands:
        yield frame_file(row.field, band, release=sample.release)


def objects_with(
    catalog: Path, sample: Sample, names: set[str]
) -> dict[str, list[str]]:
    """Which objects a file belongs to.

    Args:
        catalog: the sample's catalog.
        sample: what was asked for.
        names: of files.

    Returns:
        specObjIDs by file name.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    if not names:
        return found
    for row in read_catalog(catalog):
        for file in files_of_row(row, sample):
            if file.name in names:
                found[file.name].append(row["specObjID"])
    return found

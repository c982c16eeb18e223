"""Images of a folder or a file: opened, checked, given to their objects."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.errors import Problem
from al_service.survey.images.cutouts import note, open_array_file, read_cutout
from al_service.survey.images.frames import cut_field, find_fields
from al_service.survey.images.stamp import (
    BadImage,
    ImageSource,
    problem_of,
)
from al_service.survey.importing.image_matching import match_images
from al_service.survey.importing.objects import ObjectList
from al_service.survey.importing.rejected import RejectedRows
from al_service.survey.importing.request import (
    ImportCounts,
    ImportRequest,
    Progress,
)
from al_service.survey.importing.spool import Spool
from al_service.survey.pool_writer import ABSENT, Take

CHECKED: Final = 256
"""Stamps looked at together: 20 MB."""

ZARR_FILES: Final = ("zarr.json", ".zarray", ".zgroup")


class SpooledImages:
    """Stamps of single files, kept on disk."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.object_ids: list[str] = []
        self._sky: list[tuple[float, float]] = []

    @property
    def ra(self) -> NDArray[np.float64]:
        """`N` ICRS degrees."""
        return np.array([ra for ra, _ in self._sky], dtype=np.float64)

    @property
    def dec(self) -> NDArray[np.float64]:
        """`N` ICRS degrees."""
        return np.array([dec for _, dec in self._sky], dtype=np.float64)

    def __len__(self) -> int:
        return len(self._sky)

    def add(self, name: str, ra: float, dec: float, stamp: NDArray[np.float32]) -> None:
        """Keep one stamp."""
        self.object_ids.append(name)
        self._sky.append((ra, dec))
        self._spool.append(stamp)

    def take(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """`K x B x H x W` nanomaggies."""
        return self._spool.take(rows)


def add_images(
    request: ImportRequest,
    objects: ObjectList,
    spool: Spool,
    scratch: Path,
    rejected: RejectedRows,
    counts: ImportCounts,
    progress: Progress,
    sources: dict[str, Path],
) -> tuple[NDArray[np.int64], Take]:
    """Give every object its image; images of no object become objects.

    Returns:
        `N` numbers of images, `ABSENT` for objects without one, and what brings the
        images by their numbers.
    """
    path = request.images
    if path is None:
        raise ValueError("expected images in the request, found none")
    if not path.exists():
        raise BadImage(path, "no such file or folder")
    if path.is_dir() and not _is_zarr(path):
        fields = find_fields(path)
        if fields:
            for field in fields.values():
                sources.update({f"images/{one.name}": one for one in field.values()})
            return _cut(path, fields, objects, spool, rejected, counts, progress)
        source: ImageSource = _read_files(path, spool, rejected, progress, sources)
    else:
        source = open_array_file(path, scratch)
        if path.is_file():
            sources[f"images/{path.name}"] = path
    counts.images = len(source)
    bad = _check(path, source, rejected, progress)
    found = match_images(request, source, bad, objects, rejected, counts)
    return found, source.take


def _is_zarr(path: Path) -> bool:
    return any((path / name).exists() for name in ZARR_FILES)


def _cut(
    path: Path,
    fields: dict[str, dict[str, Path]],
    objects: ObjectList,
    spool: Spool,
    rejected: RejectedRows,
    counts: ImportCounts,
    progress: Progress,
) -> tuple[NDArray[np.int64], Take]:
    """Stamps out of frames, at the positions of the objects that are there."""
    if not len(objects):
        raise BadImage(
            path, "frames are cut at known positions: give --catalog or --spectra too"
        )
    ra, dec = objects.sky()
    image_of = np.full(len(objects), ABSENT, dtype=np.int64)
    for number, (name, field) in enumerate(fields.items(), 1):
        free = np.flatnonzero(image_of == ABSENT)
        problems: dict[int, str] = {}
        try:
            for k, stamp in cut_field(field, ra[free], dec[free]):
                problem = problem_of(stamp)
                if problem is not None:
                    problems[int(free[k])] = problem
                    continue
                image_of[free[k]] = spool.append(stamp)
        except BadImage as error:
            rejected.add([note(next(iter(field.values())), str(error))])
        rejected.add(_in_field(name, problems, objects))
        progress("cutting stamps", number, len(fields))
    counts.images = counts.images_matched = len(spool)
    return image_of, spool.take


def _in_field(
    name: str, problems: Mapping[int, str], objects: ObjectList
) -> Iterator[Problem]:
    """Problems with stamps out of a field, by the names of the objects."""
    names = objects.take("object_id", np.array([*problems], dtype=np.int64))
    for object_id, problem in zip(names, problems.values(), strict=True):
        yield Problem(f"field {name}: {object_id}", problem)


def _read_files(
    path: Path,
    spool: Spool,
    rejected: RejectedRows,
    progress: Progress,
    sources: dict[str, Path],
) -> SpooledImages:
    files = sorted(
        one
        for one in path.rglob("*")
        if one.is_file() and {".fits", ".fit"} & set(one.suffixes)
    )
    if not files:
        raise BadImage(path, "expected frame-*.fits, cutouts in FITS, or Zarr")
    images = SpooledImages(spool)
    for number, file in enumerate(files, 1):
        try:
            images.add(*read_cutout(file))
        except BadImage as error:
            rejected.add([note(file, str(error))])
        sources[f"images/{file.relative_to(path)}"] = file
        progress("reading images", number, len(files))
    return images


def _check(
    path: Path, source: ImageSource, rejected: RejectedRows, progress: Progress
) -> set[int]:
    """Numbers of stamps that cannot be used."""
    bad = set()
    for start in range(0, len(source), CHECKED):
        rows = range(start, min(start + CHECKED, len(source)))
        for row, stamp in zip(rows, source.take(list(rows)), strict=True):
            problem = problem_of(stamp)
            if problem is not None:
                rejected.add([Problem(f"{path}: image {row + 1}", problem)])
                bad.add(row)
        progress("checking images", rows.stop, len(source))
    return bad

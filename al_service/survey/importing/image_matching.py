"""Which object an image belongs to: by place, by name, or by the rows of a catalog."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from al_service.errors import Problem
from al_service.survey.images.stamp import BadImage, ImageSource
from al_service.survey.importing.matching import (
    by_id,
    nearest,
    normal_id,
    rows_named,
)
from al_service.survey.importing.objects import ObjectList
from al_service.survey.importing.rejected import RejectedRows
from al_service.survey.importing.request import ImportCounts, ImportRequest, MatchBy
from al_service.survey.pool_writer import ABSENT
from al_service.survey.positions import position_names


def match_images(
    request: ImportRequest,
    source: ImageSource,
    bad: set[int],
    objects: ObjectList,
    rejected: RejectedRows,
    counts: ImportCounts,
) -> NDArray[np.int64]:
    """Give every image its object; those of no object become objects.

    Args:
        request: says how.
        source: the images.
        bad: numbers of those that cannot be used.
        objects: grows by the images without an object.
        rejected: gets the images that nobody can have.
        counts: gets how many were matched.

    Returns:
        `N` numbers of images, `ABSENT` for objects without one; of a pool that has
        grown.
    """
    path = request.images
    found = _find(request, source, objects)
    taken: dict[int, int] = {}
    names, shared = _names_there(source, found, objects), _shared(found, objects)
    for k in range(len(source)):
        if k in bad:
            continue
        row, place = int(found[k]), f"{path}: image {k + 1}"
        if row in taken:
            message = f"{shared[row]} has image {taken[row] + 1} already"
            rejected.add([Problem(place, message)])
        elif row != ABSENT:
            taken[row] = k
            counts.images_matched += 1
        elif source.ra is None or source.dec is None:
            rejected.add([Problem(place, "no such object, and no position of its own")])
        else:
            name = _name(source, k)
            if name in names:
                rejected.add([Problem(place, f"object {name} is there, elsewhere")])
                continue
            names.add(name)
            taken[objects.add(name, float(source.ra[k]), float(source.dec[k]))] = k
    image_of = np.full(len(objects), ABSENT, dtype=np.int64)
    image_of[list(taken)] = list(taken.values())
    return image_of


def _names_there(
    source: ImageSource, found: NDArray[np.int64], objects: ObjectList
) -> set[str]:
    """Names of images of no object that objects elsewhere have."""
    if source.ra is None or source.dec is None:
        return set()
    alone = np.flatnonzero(found == ABSENT).tolist()
    return objects.named(_name(source, k) for k in alone)


def _shared(found: NDArray[np.int64], objects: ObjectList) -> dict[int, str]:
    """Names of objects that several images were found for."""
    rows, times = np.unique(found[found != ABSENT], return_counts=True)
    rows = rows[times > 1]
    names = objects.take("object_id", rows)
    return dict(zip(rows.tolist(), names, strict=True))


def _name(source: ImageSource, number: int) -> str:
    if source.object_ids is not None:
        return source.object_ids[number]
    if source.ra is None or source.dec is None:
        raise ValueError("expected a position")
    here = slice(number, number + 1)
    return str(position_names(source.ra[here], source.dec[here])[0])


def _find(
    request: ImportRequest, source: ImageSource, objects: ObjectList
) -> NDArray[np.int64]:
    path = request.images
    if request.match is MatchBy.ROW:
        return _by_row(path, source, objects)
    if request.match is MatchBy.ID:
        if source.object_ids is None:
            raise BadImage(path, "expected identifiers (object_id) to match by")
        names = [normal_id(name) for name in source.object_ids]
        rows = rows_named(set(names), objects.texts("object_id"))
        return by_id(([name] for name in names), rows)
    if source.ra is None or source.dec is None:
        raise BadImage(
            path,
            "expected positions (ra, dec) to match by; --match id or --match row"
            " match by identifier or by the rows of the catalog",
        )
    places = objects.sky_parts()
    return nearest(source.ra, source.dec, places, radius_arcsec=request.radius_arcsec)


def _by_row(
    path: Path | None, source: ImageSource, objects: ObjectList
) -> NDArray[np.int64]:
    rows = objects.catalog_rows()
    if not len(rows) or rows[-1] >= len(source):
        raise BadImage(
            path,
            f"--match row: expected an image for each of {len(rows)} rows of a"
            f" catalog, found {len(source)} images",
        )
    found = np.full(len(source), ABSENT, dtype=np.int64)
    found[rows] = np.arange(len(rows))
    return found

"""Labels of survey files find the objects of a campaign's pool."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from al_service.errors import InvalidInput
from al_service.rounds.checking import NewLabel
from al_service.survey.importing.matching import by_id, nearest, normal_id
from al_service.survey.label_files.file_label import FileLabel
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.pool_writer import ABSENT
from db.repositories import labels as stored_labels
from db.repositories import pools
from db.tables import Campaign

BLOCK: Final = 50_000
"""Labels matched together: building a tree of the pool takes a second."""


class LabelMatch(StrEnum):
    """How a label finds its object."""

    ID = "id"  # plate-mjd-fiber, specObjID, objID, TARGETID, or the object's own name
    POSITION = "position"  # the nearest object within the radius


@dataclass
class MatchedLabels:
    """Labels of objects that the campaign may label, and what became of the others."""

    labels: list[NewLabel] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    """Rows of the file, for messages."""
    labelers: list[str | None] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """Why how many rows were left out."""


def match_labels(
    session: Session,
    campaign: Campaign,
    found: Iterable[FileLabel],
    *,
    artifacts: Path,
    match: LabelMatch,
    radius_arcsec: float,
) -> MatchedLabels:
    """Find the objects of a file's labels.

    A survey's file speaks of a million objects and of more targets than a campaign
    has: what is not asked for is counted and left out. The first row of an object
    counts.

    Args:
        session: read only.
        campaign: whose pool and targets.
        found: rows of a label file.
        artifacts: folder of arrays and checkpoints.
        match: by name or by position.
        radius_arcsec: how near a position has to be.
    """
    pool = pools.find_by_id(session, campaign.pool_id)
    if pool is None:
        raise InvalidInput(f"campaign {campaign.name!r} has no pool")
    arrays = PoolArrays.open(artifacts / pool.arrays, digest=pool.manifest_digest)
    rows = {normal_id(name): row for row, name in enumerate(arrays.object_ids.tolist())}
    result = MatchedLabels()
    seen: set[int] = set()
    for block in _blocks(found):
        places = _rows_of(block, arrays, rows, match, radius_arcsec)
        for one, row in zip(block, places, strict=True):
            if row == ABSENT:
                result.left_out["not in the pool"] += 1
            elif row in seen:
                result.left_out["another row of an object that has one"] += 1
            else:
                seen.add(row)
                _add(result, one, str(arrays.object_ids[row]), campaign.targets)
    return _less_held_out(session, campaign, result)


def _blocks(found: Iterable[FileLabel]) -> Iterator[list[FileLabel]]:
    rows = iter(found)
    while block := list(itertools.islice(rows, BLOCK)):
        yield block


def _rows_of(
    block: list[FileLabel],
    arrays: PoolArrays,
    rows: dict[str, int],
    match: LabelMatch,
    radius_arcsec: float,
) -> list[int]:
    """Row of each label's object in the arrays, `ABSENT` where there is none."""
    if match is LabelMatch.ID:
        named = ([normal_id(name) for name in one.names] for one in block)
        return [int(row) for row in by_id(named, rows)]
    for one in block:
        if one.ra is None or one.dec is None:
            raise InvalidInput(f"{one.place}: expected ra and dec to match by")
    sky = np.array([(one.ra, one.dec) for one in block], dtype=np.float64)
    places = [(arrays.ra, arrays.dec)]
    found = nearest(sky[:, 0], sky[:, 1], places, radius_arcsec=radius_arcsec)
    return [int(row) for row in found]


def _add(
    result: MatchedLabels, one: FileLabel, object_id: str, targets: Iterable[str]
) -> None:
    values = {name: one.values[name] for name in targets if name in one.values}
    if not values and one.quality > 0:
        result.left_out["no value of the campaign's targets"] += 1
        return
    result.labels.append(
        NewLabel(
            object_id=object_id,
            values=values,
            errors={name: one.errors[name] for name in values if name in one.errors},
            quality=one.quality,
            note=_storable(one.note),
        )
    )
    result.places.append(one.place)
    result.labelers.append(_storable(one.labeler))


def _storable(text: str | None) -> str | None:
    """A text without NUL characters: PostgreSQL has none, and nobody means them."""
    return text and text.replace("\0", "")


def _less_held_out(
    session: Session, campaign: Campaign, result: MatchedLabels
) -> MatchedLabels:
    """Drop labels of objects that examine models or are excluded."""
    names = [label.object_id for label in result.labels]
    known = stored_labels.find_objects(session, campaign.id, campaign.pool_id, names)
    kept = [
        k
        for k, label in enumerate(result.labels)
        if label.object_id in known and known[label.object_id].is_candidate
    ]
    left_out = result.left_out
    if len(kept) < len(result.labels):
        left_out["held out or excluded"] += len(result.labels) - len(kept)
    return MatchedLabels(
        [result.labels[k] for k in kept],
        [result.places[k] for k in kept],
        [result.labelers[k] for k in kept],
        left_out,
    )

"""Keyset pagination: a page begins after the last item of the one before."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from al_service.api.schemas.fields import LARGEST_ID
from al_service.errors import InvalidInput

Row = TypeVar("Row")

Place = tuple[float | int, ...]
"""The values that a list is ordered by, of the last item seen."""


class InvalidCursor(InvalidInput):
    """A cursor that this service did not write."""

    def __init__(self, cursor: str) -> None:
        super().__init__(
            f"query.cursor: expected the `next_cursor` of a page, found {cursor[:40]!r}"
        )


def id_after(cursor: str | None) -> int:
    """Where a list by id goes on; 0 at its beginning."""
    if cursor is None:
        return 0
    place = _read(cursor, 1)
    return int(place[0])


def score_after(cursor: str | None) -> tuple[float | None, int] | None:
    """Where a list by score and id goes on; None at its beginning.

    A list without scores goes on by id, and its cursor holds nothing else: it is no
    place in a list by score.
    """
    if cursor is None:
        return None
    *score, last = _read(cursor, 1, 2)
    return (float(score[0]) if score else None), int(last)


def cut(
    rows: Sequence[Row], limit: int, place: Callable[[Row], Place]
) -> tuple[Sequence[Row], str | None]:
    """A page out of `limit + 1` rows, and the cursor to the next one.

    Args:
        rows: up to one more than the page holds: its presence says that there are more.
        limit: how many items the page holds.
        place: what the list is ordered by, last of all something unique.
    """
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], _write(place(rows[limit - 1]))


def _write(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read(cursor: str, *parts: int) -> list[float | int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor(cursor) from error
    if not isinstance(place, list) or len(place) not in parts:
        raise InvalidCursor(cursor)
    for value in place:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise InvalidCursor(cursor)
    if type(place[-1]) is not int or not 0 <= place[-1] <= LARGEST_ID:
        raise InvalidCursor(cursor)
    return place

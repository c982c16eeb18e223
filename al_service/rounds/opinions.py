"""A new label beside what has been said of its object before."""

from collections.abc import Mapping, Sequence

from al_service.rounds.checking import NewLabel
from db.repositories.labels import StoredLabel


def look_up(
    label: NewLabel, before: Sequence[StoredLabel], labeler: str
) -> StoredLabel | str | None:
    """What a new label is to the ones that its object has already.

    Args:
        label: one that was checked in itself.
        before: every label of its object, oldest first.
        labeler: who tells it.

    Returns:
        The stored label that it repeats, or what is wrong with it, or None: it is new.
    """
    by_id = {one.id: one for one in before}
    if label.supersedes is not None:
        corrected = by_id.get(label.supersedes)
        if corrected is None:
            return f"label {label.supersedes} is not one of {label.object_id}"
        if _repeats(label, corrected, labeler):
            return corrected
        if corrected.superseded_by is None:
            return None
        newer = by_id[corrected.superseded_by]
        if _repeats(label, newer, labeler):
            return newer
        return (
            f"label {corrected.id} was corrected by label {newer.id} already:"
            " correct that one"
        )
    mine = [one for one in before if one.labeler == labeler]
    if not mine:
        return None
    current = _newest(mine[-1], by_id)
    for one in (current, mine[-1]):
        if one.superseded_by is None and _repeats(label, one, labeler):
            return one
    return (
        f"{labeler} has labeled {label.object_id} before: a correction has to name"
        f" label {current.id}"
    )


def _newest(label: StoredLabel, by_id: Mapping[int, StoredLabel]) -> StoredLabel:
    """The correction of the correction of … a label."""
    while label.superseded_by is not None:
        label = by_id[label.superseded_by]
    return label


def _repeats(label: NewLabel, stored: StoredLabel, labeler: str) -> bool:
    return stored.labeler == labeler and (
        stored.values,
        # JSON hands a huge number back as an integer, all digits of which count.
        {target: float(error) for target, error in stored.errors.items()},
        stored.quality,
        _words(stored.note),
    ) == (dict(label.values), dict(label.errors), label.quality, _words(label.note))


def _words(note: str | None) -> list[str]:
    """What a note says: files carry its words, and not every kind of blank."""
    return (note or "").split()

"""The names of a table's columns: each of them once, or nobody knows which is meant."""

from collections.abc import Sequence
from pathlib import Path

from al_service.errors import UnreadableFile


def refuse_repeated(path: Path, names: Sequence[str], *, place: str) -> None:
    """Refuse a table that names a column twice.

    Args:
        path: of the file.
        names: of its columns, in their order.
        place: where in the file the names are.

    Raises:
        UnreadableFile: with every such name and the numbers of its columns.
    """
    numbers: dict[str, list[str]] = {}
    for number, name in enumerate(names, start=1):
        numbers.setdefault(name, []).append(str(number))
    repeated = [
        f"{name!r} as columns {' and '.join(each)}"
        for name, each in numbers.items()
        if len(each) > 1
    ]
    if repeated:
        raise UnreadableFile(
            path,
            f"{place}: expected every column once, found {', '.join(repeated)}",
        )

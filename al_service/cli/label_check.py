"""A file of labels is checked whole before the first one is stored."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from al_service.cli.label_file import LabelRow
from al_service.errors import InvalidLabels, Problem
from al_service.rounds import labeling
from db.tables import Campaign

CHECKED: Final = 5000
"""Labels checked at a time."""

MOST_PROBLEMS: Final = 1000
"""Nobody reads more of them; a wrong file is known by its first thousand."""


class BadLabelFile(InvalidLabels):
    """Lines of a file that cannot be stored; what came before them may have been."""

    def __init__(
        self,
        path: Path,
        problems: Sequence[Problem],
        *,
        unread: int = 0,
        n_stored: int = 0,
    ) -> None:
        """Say what is wrong where.

        Args:
            path: the file.
            problems: what is wrong, by line.
            unread: lines that were not looked at.
            n_stored: labels of the file that were stored before.
        """
        shown = problems[:MOST_PROBLEMS]
        super().__init__(shown)
        more = f" and {len(problems) - len(shown)} more" if problems != shown else ""
        rest = f"; {unread} further lines were not looked at" if unread else ""
        done = f"{n_stored} labels before them were" if n_stored else "nothing was"
        lines = [f"{path}: {len(shown)} problem(s){more}, {done} stored{rest}"]
        lines += [f"  {problem.where}: {problem.message}" for problem in shown]
        self.args = ("\n".join(lines),)


def check_rows(
    session: Session,
    campaign: Campaign,
    path: Path,
    rows: Sequence[LabelRow],
    *,
    labeler: str,
    batch_id: int | None,
    watch: Iterable[int],
) -> None:
    """Refuse a file that `tell` would refuse, with every bad line.

    Args:
        session: reads only.
        campaign: whose labels they shall be.
        path: the file, for messages.
        rows: its lines.
        labeler: who tells.
        batch_id: the batch that the labels answer, if they answer one.
        watch: first places of the parts, `CHECKED` apart, as a progress bar hands
            them out.

    Raises:
        BadLabelFile: with the problems, by line; it stops early at `MOST_PROBLEMS`.
    """
    problems: list[Problem] = []
    for first in watch:
        part = rows[first : first + CHECKED]
        problems += _problems_of(session, campaign, path, part, labeler, batch_id)
        if len(problems) >= MOST_PROBLEMS:
            unread = max(len(rows) - first - CHECKED, 0)
            raise BadLabelFile(path, problems, unread=unread)
    if problems:
        raise BadLabelFile(path, problems)


@contextmanager
def naming_lines(
    path: Path, rows: Sequence[LabelRow], *, n_stored: int
) -> Iterator[None]:
    """Name what `tell` refuses after all by its lines in the file.

    `labels[3].values.z` is of no use to somebody who looks at line 5.

    Args:
        path: the file.
        rows: the lines that are told.
        n_stored: labels of earlier lines, which stay stored.

    Raises:
        BadLabelFile: something has changed since the file was checked.
    """
    try:
        yield
    except InvalidLabels as error:
        found = [
            Problem(f"{path}{rows[place].place}: {field.lstrip('.')}", problem.message)
            for problem in error.problems
            for place, field in (_place(problem),)
        ]
        raise BadLabelFile(path, found, n_stored=n_stored) from error


def _problems_of(
    session: Session,
    campaign: Campaign,
    path: Path,
    rows: Sequence[LabelRow],
    labeler: str,
    batch_id: int | None,
) -> list[Problem]:
    """Everything wrong with a part of a file, by line.

    A label that is wrong in itself hides nothing of the others: they are looked at
    again without it.
    """
    found = [(row.line, problem) for row in rows for problem in row.problems]
    for who, group in by_labeler(rows, labeler).items():
        left = [row for row in group if not row.problems]
        found += _problems_of_one(session, campaign, path, left, who, batch_id)
    return [problem for _, problem in sorted(found, key=lambda one: one[0])]


def by_labeler(rows: Sequence[LabelRow], labeler: str) -> dict[str, list[LabelRow]]:
    """Rows by who says them; those of a file that does not know are the importer's."""
    groups: dict[str, list[LabelRow]] = {}
    for row in rows:
        groups.setdefault(row.labeler or labeler, []).append(row)
    return groups


def _problems_of_one(
    session: Session,
    campaign: Campaign,
    path: Path,
    left: Sequence[LabelRow],
    labeler: str,
    batch_id: int | None,
) -> list[tuple[int, Problem]]:
    """What is wrong with rows of one labeler, with their lines."""
    found: list[tuple[int, Problem]] = []
    while left:
        try:
            labeling.check(
                session,
                campaign,
                labeler=labeler,
                batch_id=batch_id,
                labels=[row.label for row in left],
            )
            break
        except InvalidLabels as error:
            bad = set()
            for problem in error.problems:
                place, field = _place(problem)
                bad.add(place)
                where = f"{path}{left[place].place}: {field.lstrip('.')}"
                found.append((left[place].line, Problem(where, problem.message)))
            left = [row for place, row in enumerate(left) if place not in bad]
    return found


def _place(problem: Problem) -> tuple[int, str]:
    """`labels[3].values.z` → 3 and `.values.z`."""
    number, _, field = problem.where.removeprefix("labels[").partition("]")
    return int(number), field

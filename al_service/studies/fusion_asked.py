"""What was asked of fusion beside what several seeds have found."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

from al_service.studies.fusion_findings import Finding, Question

LIMITS: Final = {
    Question.SCANNED: 1.02,
    Question.UNSEEN: 1.02,
    Question.MEDIAN: 0.90,
    Question.EVERY: 1.02,
    Question.LACKING: 1.03,
    Question.LEFT: 1.03,
    Question.FOREST: 0.93,
    Question.COVERAGE: 0.02,
    Question.CRPS: 1.03,
    Question.COST: 0.20,
}
"""At most; of coverage the distance, up or down. Other questions are just reported."""


@dataclass(frozen=True)
class Answer:
    """One question about one subject, all seeds."""

    question: Question
    subject: str
    mean: float
    spread: float | None
    """Standard deviation over seeds; None for one seed."""
    ceiling: float | None
    """Mean of the findings' ceilings."""
    seeds: int

    @property
    def distance(self) -> float:
        """What the limit is compared with."""
        return abs(self.mean) if self.question is Question.COVERAGE else self.mean

    @property
    def kept(self) -> bool:
        """Whether the limit is kept; always where nothing was asked."""
        limit = LIMITS.get(self.question)
        return limit is None or self.distance <= limit


def answers_of(seeds: Sequence[Sequence[Finding]]) -> list[Answer]:
    """Means and spreads over seeds.

    Args:
        seeds: the findings of each seed.
    """
    grouped: dict[tuple[Question, str], list[Finding]] = {}
    for findings in seeds:
        for one in findings:
            grouped.setdefault((one.question, one.subject), []).append(one)
    return [_answer(*key, found) for key, found in grouped.items()]


def lines_of_answers(answers: Sequence[Answer]) -> list[str]:
    """A line per question: its worst subject, and how many keep the limit."""
    made = [
        f"{'question':<68}{'asked':>7}{'found':>9}{'spread':>8}{'ceiling':>9}  of them"
    ]
    for question in Question:
        own = [one for one in answers if one.question is question]
        if own:
            made.append(_line(question, own))
    return made


def _answer(question: Question, subject: str, found: Sequence[Finding]) -> Answer:
    values = [one.value for one in found]
    ceilings = [one.ceiling for one in found if one.ceiling is not None]
    return Answer(
        question,
        subject,
        fmean(values),
        stdev(values) if len(values) > 1 else None,
        fmean(ceilings) if ceilings else None,
        len(found),
    )


def _line(question: Question, answers: Sequence[Answer]) -> str:
    worst = max(answers, key=lambda one: one.distance)
    limit = LIMITS.get(question)
    asked = "" if limit is None else f"{limit:.2f}"
    spread = "" if worst.spread is None else f"{worst.spread:.3f}"
    ceiling = "" if worst.ceiling is None else f"{worst.ceiling:.3f}"
    tail = ""
    if len(answers) > 1:
        kept = sum(one.kept for one in answers)
        within = "" if limit is None else f"{kept} of {len(answers)} within, "
        tail = f"  {within}worst: {worst.subject}"
    return f"{question:<68}{asked:>7}{worst.mean:>9.3f}{spread:>8}{ceiling:>9}{tail}"

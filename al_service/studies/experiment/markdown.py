"""The report as Markdown: an overview, then one section per target."""

from collections.abc import Sequence

from al_service.studies.experiment.cells import heading, table_of, title
from al_service.studies.experiment.overview import overview
from al_service.studies.experiment.report import Report


def as_markdown(report: Report) -> str:
    """Everything but pictures."""
    parts = [
        "# Experiment",
        "",
        heading(report.settings),
        "",
        "Figures are means over seeds; parentheses hold the seeds' mean 95 % interval "
        "by resampling test galaxies. Systems that were trained on more than they see "
        "here are marked (rest hidden).",
        "",
    ]
    for grid in overview(report):
        table = _table(grid.header, grid.rows)
        parts += [f"## {grid.title}", "", grid.explanation, "", *table, ""]
    for target in report.targets:
        lines = [line for line in report.lines if line.target == target]
        table = _table(*table_of(target, lines))
        parts += [f"## {title(target)}", "", *table, ""]
    return "\n".join(parts)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_row(header), _row(["---"] * len(header)), *map(_row, rows)]


def _row(parts: Sequence[str]) -> str:
    return f"| {' | '.join(parts)} |"

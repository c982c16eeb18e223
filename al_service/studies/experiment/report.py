"""What an experiment has found, ready to be written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from al_service.studies.experiment.comparisons import Comparison, comparisons
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.table import Line, lines_of, rows_of

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Report:
    """Every form of a report is made of this."""

    settings: ExperimentSettings
    lines: list[Line]
    """Means over seeds."""
    compared: list[Comparison]
    shares: list[Json]
    """Of `shares_of_modalities`, with `system` and `seed`."""

    @classmethod
    def of(
        cls,
        settings: ExperimentSettings,
        trials: Sequence[Json],
        targets: Sequence[str] | None = None,
    ) -> Self:
        """Gather trials.

        Args:
            settings: of the experiment.
            trials: what `run_experiment` gave.
            targets: those to report; None: all.
        """
        lines = [
            line
            for line in lines_of(trials)
            if targets is None or line.target in targets
        ]
        shares = [
            {"system": trial["system"], "seed": trial["seed"], **share}
            for trial in trials
            for share in trial["shares"]
            if targets is None or share["target"] in targets
        ]
        return cls(settings, lines, comparisons(lines), shares)

    @property
    def targets(self) -> list[str]:
        """Their names, in the order of the table."""
        return list(dict.fromkeys(line.target for line in self.lines))


def as_json(report: Report, trials: Sequence[Json]) -> Json:
    """The form of `al experiment run --json`.

    Args:
        report: what was found.
        trials: what it was made of.
    """
    return {
        "settings": report.settings.model_dump(mode="json"),
        "rows": [row for trial in trials for row in rows_of(trial)],
        "shares": report.shares,
        "searches": [
            {
                "system": trial["system"],
                "seed": trial["seed"],
                "trials": trial["search"],
            }
            for trial in trials
            if trial["search"]
        ],
        "surroundings": [
            {
                "system": trial["system"],
                "seed": trial["seed"],
                **trial["surroundings"],
            }
            for trial in trials
            if "surroundings" in trial
        ],
        "comparisons": [one.as_json() for one in report.compared],
    }

"""What looking at images, spectra and photometry together is worth.

`python -m al_service.studies.fusion_accuracy --seeds 3` simulates a survey, carries out
the rows of the experiment that the questions need, and prints what was asked beside
what was found. Trials are kept as they finish: who is interrupted starts it again.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from al_service.features.pool_scan import scan_pool
from al_service.studies.experiment.running import (
    Progress,
    run_experiment,
    trials_folder,
)
from al_service.studies.experiment.settings import QUICK, Effort, ExperimentSettings
from al_service.studies.experiment.sky import ExperimentSky, with_latents
from al_service.studies.fusion_asked import Answer, answers_of, lines_of_answers
from al_service.studies.fusion_findings import SYSTEMS, SeedTrials
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.simulation.simulate import simulate


def measure_fusion(
    sky: ExperimentSky, settings: ExperimentSettings, folder: Path
) -> list[Answer]:
    """Carry out what is missing, then answer every question.

    Args:
        sky: a simulated pool with images, spectra, photometry and scans.
        settings: seeds, sizes and effort; its systems are `SYSTEMS`.
        folder: of all experiments.
    """
    trials = run_experiment(sky, settings, folder, progress=_say)
    place = folder / trials_folder(sky, settings)
    return answers_of(
        [
            list(SeedTrials([t for t in trials if t["seed"] == seed], place).findings())
            for seed in settings.seed_numbers
        ]
    )


def scanned_sky(folder: Path, n_objects: int) -> ExperimentSky:
    """The simulated survey of the study, made and scanned once.

    Args:
        folder: of the study.
        n_objects: how many objects it has.
    """
    place = folder / f"survey-{n_objects}"
    if not place.is_dir():
        simulate(place, n_objects, seed=0)
    arrays = PoolArrays.open(place)
    scan = scan_pool(arrays, folder / "scans")
    columns = np.column_stack([scan.z, scan.z_error, scan.confidence])
    return with_latents(arrays, columns)


def _say(progress: Progress) -> None:
    trial = progress.finished
    if trial is not None:
        sys.stderr.write(
            f"{progress.done}/{progress.total} {trial['system']}-{trial['seed']}: "
            f"{trial['fit_seconds']:.0f} s to fit\n"
        )


def main() -> None:
    """Simulate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".al/fusion"))
    parser.add_argument("--objects", type=int, default=9000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="learn next to nothing")
    parser.add_argument("--json", type=Path, help="write every answer")
    given = parser.parse_args()
    settings = ExperimentSettings(
        pool="fusion",
        systems=SYSTEMS,
        seeds=given.seeds,
        effort=QUICK if given.quick else Effort(),
    )
    sky = scanned_sky(given.folder, given.objects)
    answers = measure_fusion(sky, settings, given.folder / "experiments")
    if given.json is not None:
        facts = [asdict(one) | {"kept": one.kept} for one in answers]
        given.json.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    sys.stdout.write("\n".join(lines_of_answers(answers)) + "\n")


if __name__ == "__main__":
    main()

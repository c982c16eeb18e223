"""What one seed of the study of fusion has found, as numbers with names.

Every number is read from trials of the experiment (`studies/experiment`): the service's
network on everything, on image and spectrum and on each modality alone, and its peers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from al_service.evaluation.metrics import normalized_residual
from al_service.evaluation.report import COVERAGE_LEVELS
from al_service.features.preparation import IMAGE, PHOTOMETRY, SPECTRUM
from al_service.studies.experiment.shelf import MODEL
from al_service.studies.experiment.stored_predictions import StoredPredictions
from al_service.studies.experiment.system import Family
from al_service.studies.experiment.systems.service_network import FUSION
from al_service.studies.experiment.table import Line, lines_of
from al_service.studies.experiment.trial import MODELS
from al_service.survey.inputs import Modality
from al_service.survey.targets import Target

Json = dict[str, Any]  # Any: JSON

CEILING: Final = "ceiling"
SCAN: Final = "redshift_scan"
FOREST: Final = "random_forest_image"
ENSEMBLE: Final = "ensemble5"
PAIR: Final = "pyro_last_layer"
"""The service's network on image and spectrum, as the ensemble's networks."""

ALONE: Final = {
    IMAGE: "pyro_last_layer_image",
    SPECTRUM: "pyro_last_layer_spectrum",
    PHOTOMETRY: "photometry_mlp",
}
"""The service's network that may look at nothing else."""

SYSTEMS: Final = (CEILING, SCAN, FOREST, *ALONE.values(), PAIR, FUSION.name, ENSEMBLE)
"""Rows of the experiment that the study reads."""


class Question(StrEnum):
    """What is asked; every question has findings of one or many subjects."""

    SCANNED = "z where a scan is believed: fusion / scan"
    UNSEEN = "z without the spectrum: fusion / image alone"
    MEDIAN = "median SFR: fusion / best single"
    EVERY = "every target: fusion / best single"
    LACKING = "one modality shown: image and spectrum network / that one alone"
    LEFT = "one modality shown: fusion / that one alone"
    FOREST = "z: image network / forest on image columns"
    COVERAGE = "coverage minus promise, every target and pattern"
    CRPS = "CRPS: last layer / ensemble of five"
    COST = "seconds to predict: last layer / ensemble of five"
    SHARE = "epistemic share of the fusion's variance"
    RAW = "participation ratio of raw features"
    WHITE = "participation ratio of whitened features"


@dataclass(frozen=True)
class Finding:
    """One number of one seed."""

    question: Question
    subject: str
    """A target, and what was shown; empty where there is but one."""
    value: float
    ceiling: float | None = None
    """The value of whoever knew the latents."""


@dataclass(frozen=True)
class SeedTrials:
    """The trials of one seed, and where they lie."""

    trials: list[Json]
    place: Path

    @property
    def seed(self) -> int:
        """Its number."""
        return int(self.trials[0]["seed"])

    def findings(self) -> Iterator[Finding]:
        """Everything that the study asks for."""
        lines = lines_of(self.trials)
        yield from _redshifts(self, lines)
        yield from _against_single(lines)
        yield from _with_one_left(lines)
        yield from _coverage(lines)
        yield from _against_ensemble(lines)
        yield from _features(self)

    def stored(self, system: str) -> StoredPredictions:
        """What a system said."""
        return StoredPredictions.read(self.place / f"{system}-{self.seed}")


def _redshifts(seed: SeedTrials, lines: list[Line]) -> Iterator[Finding]:
    fused, scanned = (_scanned_error(seed.stored(one)) for one in (FUSION.name, SCAN))
    yield Finding(Question.SCANNED, "", fused / scanned)
    image = _line(lines, ALONE[IMAGE], Target.Z)
    blind = _line(lines, FUSION.name, Target.Z, PHOTOMETRY, IMAGE)
    yield _ratio(Question.UNSEEN, "", blind, image, lines)
    yield _ratio(Question.FOREST, "", image, _line(lines, FOREST, Target.Z), lines)


def _against_single(lines: list[Line]) -> Iterator[Finding]:
    """Over the best of all systems that look at one modality, whatever they are."""
    for target in _targets(lines):
        fusion = _line(lines, FUSION.name, target)
        singles = [
            line
            for line in lines
            if line.target == target and len(line.inputs) == 1 and not line.hides
        ]
        best = min(singles, key=lambda line: line.error)
        yield _ratio(Question.EVERY, target, fusion, best, lines)
        if target == Target.SFR_MEDIAN:
            yield _ratio(Question.MEDIAN, "", fusion, best, lines)


def _with_one_left(lines: list[Line]) -> Iterator[Finding]:
    for question, system, modalities in (
        (Question.LACKING, PAIR, (IMAGE, SPECTRUM)),
        (Question.LEFT, FUSION.name, tuple(ALONE)),
    ):
        for modality in modalities:
            for target in _targets(lines):
                left = _line(lines, system, target, modality)
                alone = _line(lines, ALONE[modality], target)
                subject = f"{target}, {modality}"
                yield _ratio(question, subject, left, alone, lines)


def _coverage(lines: list[Line]) -> Iterator[Finding]:
    for line in lines:
        if line.system == FUSION.name:
            for name, level in COVERAGE_LEVELS.items():
                subject = f"{line.target}, {'+'.join(line.inputs)}, {level} %"
                covered = line.metrics[name]
                if covered is not None:
                    missed = covered - level / 100.0
                    yield Finding(Question.COVERAGE, subject, missed)


def _against_ensemble(lines: list[Line]) -> Iterator[Finding]:
    for target in _targets(lines):
        own, ensemble = (_line(lines, one, target) for one in (PAIR, ENSEMBLE))
        scores = own.metrics["crps"], ensemble.metrics["crps"]
        if scores[0] is not None and scores[1] is not None:
            yield Finding(Question.CRPS, target, scores[0] / scores[1])
    yield Finding(Question.COST, "", own.predict_seconds / ensemble.predict_seconds)


def _features(seed: SeedTrials) -> Iterator[Finding]:
    """Of the fusion network, on the test objects."""
    stored = seed.stored(FUSION.name)
    epistemic = stored.predictions.epistemic_spread**2
    share = epistemic / stored.predictions.total_spread**2
    for column, target in enumerate(stored.predictions.targets):
        yield Finding(Question.SHARE, target, float(share[:, column].mean()))
    folder = seed.place / MODELS / f"{FUSION.name}-{seed.seed}" / MODEL
    whitening = FUSION.load(folder).network.whitening
    whitened = np.asarray(stored.features, dtype=np.float64)
    raw = whitened @ np.linalg.pinv(whitening.matrix)
    yield Finding(Question.RAW, "", participation_ratio(raw))
    yield Finding(Question.WHITE, "", participation_ratio(whitened))


def participation_ratio(phi: NDArray[np.float64]) -> float:
    """Directions that count in `N x D` features: (Σλ)² / Σλ² of their covariance."""
    values = np.linalg.eigvalsh(np.cov(phi.T))
    return float(values.sum() ** 2 / (values**2).sum())


def _scanned_error(stored: StoredPredictions) -> float:
    """Root mean square of dz/(1+z) where the scan is believed."""
    predictions = stored.predictions
    column = predictions.targets.index(Target.Z)
    truth = stored.values[:, column]
    rows = (predictions.patterns & int(Modality.REDSHIFT)) > 0
    rows &= np.isfinite(truth)
    residual = normalized_residual(truth[rows], predictions.mean[rows, column])
    return float(np.sqrt(np.mean(residual**2)))


def _targets(lines: list[Line]) -> list[str]:
    return list(dict.fromkeys(line.target for line in lines))


def _line(lines: list[Line], system: str, target: str, *shown: str) -> Line:
    """One line of the table; without `shown` that of everything it looks at."""
    return next(
        line
        for line in lines
        if line.system == system
        and line.target == target
        and (set(line.inputs) == set(shown) if shown else not line.hides)
    )


def _ratio(
    question: Question, subject: str, line: Line, peer: Line, lines: list[Line]
) -> Finding:
    ceiling = next(
        one
        for one in lines
        if one.family is Family.CEILING and one.target == line.target
    )
    return Finding(
        question, subject, line.error / peer.error, ceiling.error / peer.error
    )

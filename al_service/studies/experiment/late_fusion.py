"""Networks of one modality each, trained apart; what they say is joined."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_service.features.preparation import IMAGE, SPECTRUM
from al_service.posterior.predictions import Predictions
from al_service.posterior.scan_measurement import MEDIAN_SQUARE
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.second_opinion import contradicted
from al_service.studies.experiment.settings import LEAST
from al_service.studies.experiment.storing import (
    read_facts,
    read_tensors,
    write_facts,
    write_tensors,
)
from al_service.studies.experiment.stream_model import FittedStreams
from al_service.studies.experiment.stream_system import (
    StreamSystem,
    fitted_streams,
)
from al_service.studies.experiment.system import (
    Examples,
    Family,
    Lesson,
    own_space,
)
from al_service.survey.inputs import Modality
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

_PENALTY = 1.0
"""Pull of the stacked weights towards the mean by squared errors, in labels."""


class Rule(StrEnum):
    """How two predictions become one."""

    PRODUCT = "product"  # weighted by their precisions
    STACKED = "stacked"  # weighted by what validation objects say


@dataclass(frozen=True)
class FittedLateFusion:
    """Two networks and what joins them; where one is missing, the other speaks."""

    rule: Rule
    parts: dict[str, FittedStreams]
    """Modality to its network."""
    correlation: Floats
    """`T` of the errors of both on validation objects: errors that agree do not
    average out."""
    weights: Floats
    """`T x 3` stacked weights of image, spectrum and 1, own space."""
    noise: Floats
    """`T` factors on the joined variance."""
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Of both networks and of the joining."""
        networks = sum(part.n_parameters for part in self.parts.values())
        return networks + self.weights.size + self.correlation.size

    def predict(self, measurements: Measurements) -> Predictions:
        """Join what both say; one alone where the other sees nothing."""
        image = self.parts[IMAGE].predict(measurements)
        measurements = _believing(measurements, image)
        spectrum = self.parts[SPECTRUM].predict(measurements)
        sees = [measurements.has(name)[:, None] for name in (IMAGE, SPECTRUM)]
        center, variance = self._joined(image, spectrum)
        for part, other in ((image, sees[1]), (spectrum, sees[0])):
            center = np.where(other, center, part.center)
            variance = np.where(other, variance, part.total_spread**2)
        share = np.maximum(image.epistemic_spread, spectrum.epistemic_spread) ** 2
        epistemic = np.minimum(share, 0.5 * variance)
        return Predictions(
            image.targets,
            image.patterns | spectrum.patterns,
            center,
            np.sqrt(epistemic),
            np.sqrt(variance - epistemic),
        )

    def _joined(
        self, image: Predictions, spectrum: Predictions
    ) -> tuple[Floats, Floats]:
        center, variance = weighted(image, spectrum, self.correlation)
        if self.rule is Rule.PRODUCT:
            return center, variance
        a, b, c = self.weights.T
        stacked = a * image.center + b * spectrum.center + c
        scanned = _scanned(spectrum)
        return (
            np.where(scanned, center, stacked),
            np.where(scanned, variance, variance * self.noise),
        )

    def features(self, _measurements: Measurements) -> NDArray[np.float32] | None:
        """None: nothing is fused but predictions."""
        return None

    def save(self, folder: Path) -> None:
        """Write both networks, each into a folder of its own."""
        for name, part in self.parts.items():
            (folder / name).mkdir()
            part.save(folder / name)
        write_facts(folder, {"rule": self.rule.value})
        arrays = {
            "correlation": self.correlation,
            "weights": self.weights,
            "noise": self.noise,
        }
        write_tensors(
            folder, {name: np.ascontiguousarray(one) for name, one in arrays.items()}
        )


@dataclass(frozen=True)
class LateFusion:
    """Networks of image and spectrum, joined behind their heads."""

    name: str
    rule: Rule
    image: StreamSystem
    spectrum: StreamSystem
    family: Family = Family.FUSION
    inputs: tuple[str, ...] = (IMAGE, SPECTRUM)

    def fit(self, lesson: Lesson) -> FittedLateFusion:
        """Both have been trained apart; learn the joining from validation objects."""
        parts = {
            IMAGE: fitted_streams(lesson, self.image),
            SPECTRUM: fitted_streams(lesson, self.spectrum),
        }
        measured = lesson.validation.measurements
        image = parts[IMAGE].predict(measured)
        believed = _believing(measured, image)
        spectrum = parts[SPECTRUM].predict(believed)
        own = own_space(lesson.targets, lesson.validation.values)
        own[~believed.has(SPECTRUM)] = np.nan
        own[_scanned(spectrum)] = np.nan
        fitted = FittedLateFusion(
            self.rule,
            parts,
            correlation(image.center - own, spectrum.center - own),
            _stacked(image.center, spectrum.center, own),
            np.ones(len(lesson.targets)),
        )
        return replace(fitted, noise=_level(fitted, lesson.validation, own))

    def load(self, folder: Path) -> FittedLateFusion:
        """What `FittedLateFusion.save` wrote."""
        arrays = read_tensors(folder)
        return FittedLateFusion(
            Rule(read_facts(folder)["rule"]),
            {name: FittedStreams.load(folder / name) for name in self.inputs},
            arrays["correlation"],
            arrays["weights"],
            arrays["noise"],
        )


def _believing(measurements: Measurements, image: Predictions) -> Measurements:
    """The same objects without spectra whose scan contradicts the image.

    Of those that have one: the network of images was never asked about others.
    """
    if Target.Z not in image.targets:
        return measurements
    column = image.targets.index(Target.Z)
    variance = image.total_spread[:, column] ** 2
    wrong = contradicted(measurements, image.center[:, column], variance)
    return measurements.leaving(SPECTRUM, wrong[measurements.has(IMAGE)[wrong]])


def _scanned(spectrum: Predictions) -> NDArray[np.bool_]:
    """`N x T` flags of redshifts that the scan measured: nothing is added to them."""
    of_scan = (spectrum.patterns & int(Modality.REDSHIFT)) > 0
    is_redshift = np.array([target == Target.Z for target in spectrum.targets])
    return np.asarray(of_scan[:, None] & is_redshift, dtype=np.bool_)


def weighted(
    one: Predictions, other: Predictions, correlation: Floats
) -> tuple[Floats, Floats]:
    """Two predictions of the same objects, each weighted by its precision.

    Args:
        one: of `N` objects.
        other: likewise.
        correlation: `T` of their errors.

    Returns:
        Center and variance, each `N x T`, own space.
    """
    first, second = one.total_spread**2, other.total_spread**2
    share = second / (first + second)  # of the first: the more precise weighs more
    left = 1.0 - share
    cross = 2.0 * share * left * correlation * np.sqrt(first * second)
    variance = share**2 * first + left**2 * second + cross
    return share * one.center + left * other.center, variance


def correlation(one: Floats, other: Floats) -> Floats:
    """`T` correlations of errors, 0 where they do not vary or are unknown."""
    found = np.zeros(one.shape[1])
    for column in range(len(found)):
        known = np.isfinite(one[:, column]) & np.isfinite(other[:, column])
        pair = one[known, column], other[known, column]
        if known.sum() > 2 and min(np.ptp(pair[0]), np.ptp(pair[1])) > 0:
            found[column] = np.clip(np.corrcoef(*pair)[0, 1], -0.99, 0.99)
    return found


def _stacked(image: Floats, spectrum: Floats, own: Floats) -> Floats:
    """`T x 3` weights by ridge regression towards the better of the two."""
    weights = np.tile([0.5, 0.5, 0.0], (own.shape[1], 1))
    for column in range(own.shape[1]):
        known = np.isfinite(own[:, column])
        if known.sum() < LEAST:
            continue
        said = np.stack([image[known, column], spectrum[known, column]], axis=1)
        truth = own[known, column]
        errors = np.mean((said - truth[:, None]) ** 2, axis=0)
        start = np.array([errors[1], errors[0]]) / errors.sum()
        spread = said.std(axis=0).mean() + 1e-12
        design = np.column_stack([said - said.mean(axis=0), np.full(len(said), spread)])
        prior = np.array([*start, 0.0])
        left = truth - said.mean(axis=0) @ start - design @ prior
        gram = design.T @ design + _PENALTY * spread**2 * np.eye(3)
        step = prior + np.linalg.solve(gram, design.T @ left)
        offset = step[2] * spread + said.mean(axis=0) @ (start - step[:2])
        weights[column] = [step[0], step[1], offset]
    return weights


def _level(fitted: FittedLateFusion, validation: Examples, own: Floats) -> Floats:
    """`T` factors by which joined errors are larger than joined variances."""
    said = fitted.predict(validation.measurements)
    ratio = (own - said.center) ** 2 / said.total_spread**2
    enough = np.isfinite(ratio).sum(axis=0) >= LEAST
    levels = np.ones(len(enough))
    levels[enough] = np.nanmedian(ratio[:, enough], axis=0) / MEDIAN_SQUARE
    return np.clip(levels, 1e-2, 1e2)

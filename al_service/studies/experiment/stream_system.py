"""Systems whose networks are streams joined before one head."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri

from al_service.features.preparation import PHOTOMETRY, PIXELS_OF, SPECTRUM
from al_service.models.balance import Balance
from al_service.models.streams import Joining, Reading, StreamNetwork, StreamShape
from al_service.posterior.last_layer_laplace import laplace_factor
from al_service.posterior.stream_data import StreamData
from al_service.posterior.stream_fitting import StreamSchedule, fit_streams, passed
from al_service.posterior.variational import fit_guide
from al_service.randomness import derived_seed
from al_service.studies.experiment.settings import LEAST, Effort
from al_service.studies.experiment.stream_model import FittedStreams
from al_service.studies.experiment.stream_moments import Networks, Uncertainty
from al_service.studies.experiment.stream_reading import (
    EARLY,
    StreamReader,
    Tensors,
    squared_errors,
)
from al_service.studies.experiment.system import Examples, Family, Lesson, own_space
from al_service.survey.inputs import Modality
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

DROPOUT: Final = 0.05
"""Rate of the networks that are drawn with dropout: Bayesian SZNet found small rates
best (0.01 to 0.05 of 0.5, 0.1, 0.05, 0.01)."""

SMALLEST_SPREAD: Final = 1e-6
"""Standard deviation of labels that is rounding."""

_ENOUGH_BLIND: Final = 0.05
"""Share of training objects without a spectrum from which on a network has learned what
z is for them."""

_SMALLEST_SCALE: Final = 1e-2
_LEVELS: Final = (0.68, 0.95)


@dataclass(frozen=True)
class StreamSystem:
    """A network of the comparison before it has learned."""

    name: str
    family: Family
    inputs: tuple[str, ...]
    readings: dict[str, Reading]
    joining: Joining = Joining.CONCAT
    uncertainty: Uncertainty = Uncertainty.POINT
    hiding: dict[str, float] = field(default_factory=dict)
    """Modality to how often training hides it."""
    balance: Balance = Balance.NONE
    start: "StreamSystem | None" = None
    """Another row whose network is the first of this one: of an ensemble a member, of
    an approximation what it approximates around."""

    def fit(self, lesson: Lesson) -> FittedStreams:
        """Train one network, or several; then ask what is known of the weights."""
        part = _Prepared.of(lesson, self.inputs, self.readings)
        shape = self._shape(part.reader, len(lesson.targets))
        schedule = self._schedule(lesson.effort)
        networks = self._networks(lesson, part, shape, schedule)
        factors = guide = None
        if self._is(Uncertainty.LAPLACE):
            factors = _factors(networks[0], part.training)
        if self._is(Uncertainty.VARIATIONAL):
            guide = fit_guide(networks[0], part.training, schedule, seed=lesson.seed)
        fitted = FittedStreams(
            lesson.targets,
            part.reader,
            shape,
            part.center,
            part.spread,
            Networks(networks, self.uncertainty, lesson.effort.draws, factors, guide),
            self._reads_scan,
            self._doubts_scan(lesson.training),
            np.ones(len(lesson.targets)),
        )
        scale = noise_scale(fitted, lesson.validation)
        return replace(fitted, noise_scale=scale)

    def load(self, folder: Path) -> FittedStreams:
        """What `FittedStreams.save` wrote."""
        return FittedStreams.load(folder)

    def _networks(
        self,
        lesson: Lesson,
        part: "_Prepared",
        shape: StreamShape,
        schedule: StreamSchedule,
    ) -> tuple[StreamNetwork, ...]:
        if self.start is None:
            seed = derived_seed(lesson.seed, "member", 0)
            data = part.training, part.validation
            return (fit_streams(shape, *data, schedule, seed=seed),)
        size = lesson.effort.members if self._is(Uncertainty.ENSEMBLE) else 1
        members = [
            fitted_streams(lesson, _again(self.start, number)) for number in range(size)
        ]
        return tuple(one for member in members for one in member.networks.each)

    def _is(self, uncertainty: Uncertainty) -> bool:
        return self.uncertainty is uncertainty

    @property
    def _reads_scan(self) -> bool:
        """Line features know the scanned redshift; so may the prediction of z."""
        reading = self.readings.get(SPECTRUM)
        return reading is Reading.BOTH or EARLY in self.readings

    def _doubts_scan(self, training: Examples) -> bool:
        """Whether there is a second opinion, which training has taught."""
        lacks = 1.0 - float(np.mean(training.measurements.has(SPECTRUM)))
        taught = max(lacks, self.hiding.get(SPECTRUM, 0.0))
        others = set(self.inputs) - {SPECTRUM}
        return self._reads_scan and bool(others) and taught >= _ENOUGH_BLIND

    def _shape(self, reader: StreamReader, n_targets: int) -> StreamShape:
        rate = DROPOUT if self._is(Uncertainty.DROPOUT) else 0.0
        return StreamShape(
            self.readings, reader.n_columns, n_targets, self.joining, dropout=rate
        )

    def _schedule(self, effort: Effort) -> StreamSchedule:
        pixels = any(
            name in PIXELS_OF and reading is not Reading.COLUMNS
            for name, reading in self.readings.items()
        )
        return StreamSchedule(
            effort.epochs if pixels else effort.column_epochs,
            effort.min_steps,
            hiding=self.hiding,
            balance=self.balance,
        )


def _again(system: StreamSystem, number: int) -> StreamSystem:
    """The same from another start: kept by its name, and interrupted by itself."""
    if number == 0:
        return system
    return replace(system, name=f"{system.name}_again{number}")


def fitted_streams(lesson: Lesson, system: StreamSystem) -> FittedStreams:
    """Another row of the table that has learned the same lesson."""
    fitted = lesson.learned_by(system)
    if not isinstance(fitted, FittedStreams):
        raise TypeError(f"{system.name}: expected FittedStreams, found {type(fitted)}")
    return fitted


def noise_scale(fitted: FittedStreams, validation: Examples) -> Floats:
    """`T` factors on variances by which central intervals cover what they promise.

    From objects that trained nothing: networks learn labels by heart a little. The
    compromise between 68 and 95 % that the service makes, too.
    """
    predictions = fitted.predict(validation.measurements)
    scores = np.abs(predictions.scores(validation.values))
    if Target.Z in fitted.targets:
        # The scan has an error of its own.
        scanned = (predictions.patterns & int(Modality.REDSHIFT)) > 0
        scores[scanned, fitted.targets.index(Target.Z)] = np.nan
    scale = np.ones(len(fitted.targets))
    for column in range(len(scale)):
        known = scores[np.isfinite(scores[:, column]), column]
        if len(known) < LEAST:
            continue
        widths = np.quantile(known, _LEVELS) / ndtri(0.5 + 0.5 * np.array(_LEVELS))
        scale[column] = max(float(np.prod(widths)), _SMALLEST_SCALE)
    return scale


@dataclass(frozen=True)
class _Prepared:
    """Objects as tensors, labels of zero mean and unit spread."""

    reader: StreamReader
    center: Floats
    spread: Floats
    training: StreamData
    validation: StreamData

    @classmethod
    def of(
        cls, lesson: Lesson, inputs: tuple[str, ...], readings: dict[str, Reading]
    ) -> "_Prepared":
        seen = lesson.training.having(inputs)
        reader, tensors = StreamReader.fit(seen.measurements, inputs, readings)
        own = own_space(lesson.targets, seen.values)
        center = np.nanmean(own, axis=0)
        spread = np.maximum(np.nanstd(own, axis=0), SMALLEST_SPREAD)
        others = reader.whole(lesson.validation.measurements)
        return cls(
            reader,
            center,
            spread,
            _data(tensors, seen, lesson.targets, center, spread),
            _data(others, lesson.validation, lesson.targets, center, spread),
        )


def _data(
    tensors: Tensors,
    examples: Examples,
    targets: tuple[str, ...],
    center: Floats,
    spread: Floats,
) -> StreamData:
    columns, present = tensors
    own = (own_space(targets, examples.values) - center) / spread
    known = np.isfinite(own)
    slope = np.array([target == Target.Z for target in targets])
    stretch = np.where(slope, 1.0 + np.nan_to_num(examples.values), 1.0)
    return StreamData(
        columns,
        present,
        torch.from_numpy(np.where(known, own, 0.0)).float(),
        torch.from_numpy(known),
        squared_errors(examples.errors / stretch / spread),
    )


def _factors(network: StreamNetwork, data: StreamData) -> Floats:
    """`T x D x D` of the last layer's covariance."""
    _, log_noise, features = passed(network, data)
    design = np.column_stack([features.double().numpy(), np.ones(len(data))])
    noise = (log_noise.exp() + data.error_variance).double().numpy()
    weights = torch.cat([network.head.weight, network.head.bias[:, None]], dim=1)
    factors = []
    for column, weight in enumerate(weights.double().numpy()):
        rows = np.flatnonzero(data.known[:, column].numpy())
        factors.append(laplace_factor(design[rows], weight, noise[rows, column]))
    return np.stack(factors)


def pixel_readings(*names: str) -> dict[str, Reading]:
    """Pixels and columns of every modality that has pixels."""
    return {
        name: Reading.COLUMNS if name == PHOTOMETRY else Reading.BOTH for name in names
    }

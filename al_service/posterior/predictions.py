"""Predicted targets with what is known about their uncertainty.

Distributions are Gaussian in the target's own space: log(1 + z) for the redshift, the
target itself for all others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from al_service.survey.inputs import Rows
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

LEVELS: Final[tuple[int, ...]] = (68, 90, 95)
"""Per cent of the central intervals that are reported."""

GAUSSIAN_WIDTHS: Final = np.array([0.994457883, 1.644853627, 1.959963985])
"""Half widths of those intervals of a Gaussian, in standard deviations."""


@dataclass(frozen=True)
class IntervalWidths:
    """Calibrated half widths of intervals, in predicted standard deviations."""

    patterns: NDArray[np.int64]
    """`P` unions of `Modality`."""
    widths: Floats
    """`P x T x len(LEVELS)`; NaN where there were too few labels."""


@dataclass(frozen=True)
class Predictions:
    """Predictive distributions of `N` objects and `T` targets."""

    targets: tuple[str, ...]
    patterns: NDArray[np.int64]
    """`N` unions of `Modality`."""
    center: Floats
    """`N x T`, own space."""
    epistemic_spread: Floats
    """`N x T` standard deviations owed to the weights, own space."""
    aleatoric_spread: Floats
    """`N x T` standard deviations of the noise, own space."""
    calibration: IntervalWidths | None = None

    def __len__(self) -> int:
        return len(self.center)

    @property
    def mean(self) -> Floats:
        """`N x T` in the targets' units; for z the median of its distribution."""
        return np.where(self._logarithmic, np.expm1(self.center), self.center)

    @property
    def epistemic(self) -> Floats:
        """`N x T` standard deviations owed to the weights, in the targets' units."""
        return self.epistemic_spread * self._slope

    @property
    def aleatoric(self) -> Floats:
        """`N x T` standard deviations of the noise, in the targets' units."""
        return self.aleatoric_spread * self._slope

    @property
    def calibrated(self) -> NDArray[np.bool_]:
        """`N x T`: whether the intervals were compared with labels."""
        return np.isfinite(self._widths()[:, :, 0])

    @property
    def total_spread(self) -> Floats:
        """`N x T` standard deviations of a label, own space."""
        return np.hypot(self.epistemic_spread, self.aleatoric_spread)

    def interval(self, level: int) -> tuple[Floats, Floats]:
        """Central intervals.

        Args:
            level: one of `LEVELS`, per cent.

        Returns:
            Lower and upper ends, each `N x T`, in the targets' units.
        """
        place = LEVELS.index(level)
        widths = self._widths()[:, :, place]
        widths = np.where(np.isfinite(widths), widths, GAUSSIAN_WIDTHS[place])
        half = widths * self.total_spread
        return self._to_unit(self.center - half), self._to_unit(self.center + half)

    def scores(self, values: Floats) -> Floats:
        """Distance of labels from the center in predicted standard deviations.

        Args:
            values: `N x T` labels in the targets' units, NaN where unknown.

        Returns:
            `N x T`, signed, NaN where unknown.
        """
        scores: Floats = (self._to_own(values) - self.center) / self.total_spread
        return scores

    def pit(self, values: Floats) -> Floats:
        """Predicted probability of less than the label: uniform if all is well."""
        return np.asarray(ndtr(self.scores(values)), dtype=np.float64)

    def crps(self, values: Floats) -> Floats:
        """Continuous ranked probability score, in the targets' units.

        Closed forms for the Gaussian and, for z, for the log-normal of 1 + z
        (Gneiting & Raftery 2007; Baran & Lerch 2015).

        Args:
            values: `N x T` labels in the targets' units, NaN where unknown.

        Returns:
            `N x T`, lower is better, NaN where unknown.
        """
        sigma = self.total_spread
        score = self.scores(values)
        density = np.exp(-0.5 * score**2) / np.sqrt(2.0 * np.pi)
        gaussian = sigma * (
            score * (2.0 * ndtr(score) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi)
        )
        wide = np.where(self._logarithmic, sigma, 0.0)
        median = np.where(self._logarithmic, np.exp(self.center), 0.0)
        lognormal = (1.0 + values) * (2.0 * ndtr(score) - 1.0) - 2.0 * median * np.exp(
            0.5 * wide**2
        ) * (ndtr(score - wide) + ndtr(wide / np.sqrt(2.0)) - 1.0)
        return np.asarray(np.where(self._logarithmic, lognormal, gaussian))

    def nll(self, values: Floats) -> Floats:
        """Negative log density of labels in the targets' units, `N x T`."""
        own: Floats = 0.5 * self.scores(values) ** 2 + np.log(self.total_spread)
        jacobian = np.where(self._logarithmic, self._to_own(values), 0.0)
        return np.asarray(own + jacobian + 0.5 * np.log(2.0 * np.pi))

    def take(self, rows: Rows) -> Self:
        """The objects of some rows, in their order."""
        return replace(
            self,
            patterns=self.patterns[rows],
            center=self.center[rows],
            epistemic_spread=self.epistemic_spread[rows],
            aleatoric_spread=self.aleatoric_spread[rows],
        )

    def arrays(self) -> dict[str, NDArray[Any]]:  # Any: of several types
        """Everything but the targets by name, to be stored."""
        parts: dict[str, NDArray[Any]] = {
            "patterns": self.patterns,
            "center": self.center,
            "epistemic_spread": self.epistemic_spread,
            "aleatoric_spread": self.aleatoric_spread,
        }
        if self.calibration is not None:
            parts["calibration_patterns"] = self.calibration.patterns
            parts["calibration_widths"] = self.calibration.widths
        return parts

    @classmethod
    def from_arrays(
        cls,
        targets: tuple[str, ...],
        arrays: Mapping[str, NDArray[Any]],  # Any: of several types
    ) -> Self:
        """What `arrays` gave."""
        calibration = None
        if "calibration_patterns" in arrays:
            calibration = IntervalWidths(
                arrays["calibration_patterns"], arrays["calibration_widths"]
            )
        return cls(
            targets,
            arrays["patterns"],
            arrays["center"],
            arrays["epistemic_spread"],
            arrays["aleatoric_spread"],
            calibration,
        )

    @property
    def _logarithmic(self) -> NDArray[np.bool_]:
        return np.array([target == Target.Z for target in self.targets])

    @property
    def _slope(self) -> Floats:
        return np.where(self._logarithmic, np.exp(self.center), 1.0)

    def _to_own(self, values: Floats) -> Floats:
        safe = np.where(self._logarithmic, values, 0.0)
        return np.where(self._logarithmic, np.log1p(safe), values)

    def _to_unit(self, own: Floats) -> Floats:
        safe = np.where(self._logarithmic, own, 0.0)
        return np.where(self._logarithmic, np.expm1(safe), own)

    def _widths(self) -> Floats:
        """`N x T x len(LEVELS)`, NaN where not calibrated."""
        shape = (*self.center.shape, len(LEVELS))
        if self.calibration is None:
            return np.full(shape, np.nan)
        found = self.patterns[:, None] == self.calibration.patterns[None]  # N x P
        widths = self.calibration.widths[found.argmax(axis=1)]
        return np.where(found.any(axis=1)[:, None, None], widths, np.nan)

"""Targets become latent numbers in which everything that must hold, holds.

z is modeled as log(1 + z). Of the quantiles of log SFR one is the anchor (the median
where it is asked for) and the others are chained to it by the logarithms of the
increments between neighbors, so that predicted quantiles can never cross. Average
and mode are offsets from the median. The entropy stays as it is. Any subset of the
targets works: what a chain lacks it skips.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.survey.targets import LIMITS, SFR_QUANTILES, Target

INCREMENT_FLOOR: Final = 0.01
"""Smallest distance between neighboring quantiles in dex: the step of the grid of
log SFR on which the catalog's posteriors are tabulated. Equal quantiles are closer
than the catalog can tell."""

Floats = NDArray[np.float64]


class Form(StrEnum):
    """How one latent number follows from targets."""

    LOG_ONE_PLUS = "log_one_plus"  # log(1 + target)
    PLAIN = "plain"  # the target
    OFFSET = "offset"  # the target minus its reference
    LOG_ABOVE = "log_above"  # log(target - reference)
    LOG_BELOW = "log_below"  # log(reference - target)


@dataclass(frozen=True)
class Latent:
    """One latent number: its form, its target and the target it refers to."""

    form: Form
    target: int
    """Column of the target."""
    reference: int | None = None
    """Column of the reference target."""


@dataclass(frozen=True)
class Moments:
    """Gaussian moments per target, in the target's own space.

    The space of z is log(1 + z); that of every other target is the target.
    """

    center: Floats
    """`N x T`."""
    epistemic: Floats
    """`N x T` variances owed to the weights."""
    aleatoric: Floats
    """`N x T` variances of the noise."""


@dataclass(frozen=True)
class TargetTransform:
    """The mapping between `T` targets and as many latent numbers."""

    targets: tuple[str, ...]

    @cached_property
    def latents(self) -> tuple[Latent, ...]:
        """The latent of every target, in the order of the targets."""
        return tuple(self._latent(target) for target in self.targets)

    def _latent(self, target: str) -> Latent:
        column = self.targets.index(target)
        if target not in LIMITS:
            raise ValueError(f"expected targets of {list(LIMITS)}, found {target!r}")
        if target == Target.Z:
            return Latent(Form.LOG_ONE_PLUS, column)
        if target in SFR_QUANTILES:
            return self._quantile_latent(target, column)
        if target != Target.SFR_ENTROPY and Target.SFR_MEDIAN in self.targets:
            return Latent(
                Form.OFFSET, column, self.targets.index(Target.SFR_MEDIAN.value)
            )
        return Latent(Form.PLAIN, column)

    def _quantile_latent(self, target: str, column: int) -> Latent:
        chain = [name for name in SFR_QUANTILES if name in self.targets]
        anchor = (
            chain.index(Target.SFR_MEDIAN.value)
            if Target.SFR_MEDIAN in chain
            else len(chain) // 2
        )
        place = chain.index(target)
        if place == anchor:
            return Latent(Form.PLAIN, column)
        step, form = (1, Form.LOG_BELOW) if place < anchor else (-1, Form.LOG_ABOVE)
        return Latent(form, column, self.targets.index(chain[place + step]))

    def forward(
        self, values: Floats, errors: Floats | None = None
    ) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Targets to latents, with label errors by the delta method.

        Args:
            values: `N x T` in the targets' units, NaN where unknown.
            errors: `N x T` standard deviations, NaN or None where unknown.

        Returns:
            `N x T` latent values (0 where not observed), their standard deviations
            (0 where unknown), and which are observed: those whose parts all are.
        """
        latent = np.full(values.shape, np.nan)
        for column, rule in enumerate(self.latents):
            latent[:, column], _ = _forward(rule, values)
        spread = np.zeros(values.shape)
        if errors is not None:
            spread = np.sqrt((self._moved(values, errors) ** 2).sum(axis=2))
        observed = np.isfinite(latent)
        return (
            np.where(observed, latent, 0.0),
            np.where(observed, spread, 0.0),
            observed,
        )

    def error_covariance(self, values: Floats, errors: Floats) -> Floats:
        """How the errors of labels go together once they are latents.

        Errors of the labels themselves are independent, but neighbors in a chain have
        one in common.

        Args:
            values: `N x T` as in `forward`.
            errors: likewise.

        Returns:
            `N x T x T`, 0 where unknown; the diagonal holds the squares of what
            `forward` says.
        """
        moved = np.nan_to_num(self._moved(values, errors), nan=0.0)
        return np.asarray(moved @ moved.transpose(0, 2, 1))

    def _moved(self, values: Floats, errors: Floats) -> Floats:
        """By how much each label's error moves each latent, `N x T x T`."""
        known = np.nan_to_num(errors, nan=0.0)
        moved = np.zeros((*values.shape, len(self.latents)))
        for column, rule in enumerate(self.latents):
            _, slope = _forward(rule, values)
            moved[:, column, rule.target] = slope * known[:, rule.target]
            if rule.reference is not None:
                moved[:, column, rule.reference] = -slope * known[:, rule.reference]
        return moved

    def back(
        self,
        mean: Floats,
        epistemic: Floats,
        aleatoric: Floats,
        correlation: Floats | None = None,
    ) -> Moments:
        """Latents to targets; variances by the delta method.

        Args:
            mean: `N x T` latent means.
            epistemic: `N x T` latent variances owed to the weights.
            aleatoric: `N x T` latent variances of the noise.
            correlation: `T x T` of the latents' errors; None: there is none.

        Returns:
            Moments whose center is the transformed latent mean: the predictive
            median of z and of every increment, and quantiles that never cross.
        """
        if correlation is None:
            correlation = np.eye(len(self.latents))
        shape = (len(self.latents), len(mean))  # a target's numbers side by side
        steps, slopes = np.empty(shape), np.empty(shape)
        for column, rule in enumerate(self.latents):
            steps[column], slopes[column] = _step(rule, mean[:, column])
        return Moments(
            np.stack([sum(steps[chain]) for chain in self._chains], axis=1),
            self._summed(slopes * np.sqrt(epistemic.T), correlation),
            self._summed(slopes * np.sqrt(aleatoric.T), correlation),
        )

    def _summed(self, steps: Floats, correlation: Floats) -> Floats:
        """Variances `N x T` of targets, which are sums of steps.

        Args:
            steps: `T x N` signed standard deviations.
            correlation: `T x T` of the latents' errors.
        """
        variance = np.empty((steps.shape[1], len(steps)))
        for column, chain in enumerate(self._chains):
            total = sum(steps[one] ** 2 for one in chain)
            for one, other in combinations(chain, 2):
                total += 2.0 * correlation[one, other] * steps[one] * steps[other]
            variance[:, column] = np.maximum(total, 0.0)  # of rounding
        return variance

    @cached_property
    def _chains(self) -> list[list[int]]:
        """Columns whose steps make up each target, from the anchor to itself."""
        return [self._chain(column) for column in range(len(self.latents))]

    def _chain(self, column: int) -> list[int]:
        reference = self.latents[column].reference
        return [*([] if reference is None else self._chain(reference)), column]


def _forward(rule: Latent, values: Floats) -> tuple[Floats, Floats]:
    """A latent, and how fast it grows with its target: its reference takes it back."""
    value = values[:, rule.target]
    if rule.form == Form.LOG_ONE_PLUS:
        return np.log1p(value), 1.0 / (1.0 + value)
    if rule.reference is None:
        return value, np.ones(len(value))
    difference = value - values[:, rule.reference]
    if rule.form == Form.OFFSET:
        return difference, np.ones(len(value))
    sign = 1.0 if rule.form == Form.LOG_ABOVE else -1.0
    increment = np.maximum(sign * difference, INCREMENT_FLOOR)
    return np.log(increment), sign / increment


def _step(rule: Latent, mean: Floats) -> tuple[Floats, Floats]:
    """How far a target is from its reference, and how fast that grows."""
    if rule.form in (Form.LOG_ABOVE, Form.LOG_BELOW):
        step = np.exp(mean) * (1.0 if rule.form == Form.LOG_ABOVE else -1.0)
        return step, step
    return mean, np.ones(len(mean))

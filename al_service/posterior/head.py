"""The Bayesian last layer: refitted in closed form, seconds after a label."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.models.network import Network
from al_service.models.targets_transform import TargetTransform
from al_service.posterior.closed_form import (
    WeightPosterior,
    tuned_posterior,
)
from al_service.posterior.features import Features
from al_service.posterior.optimizing import one_thread
from al_service.posterior.predictions import Predictions
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

CHUNK_ROWS: Final = 8192
"""Objects predicted at a time: intermediate products stay in the cache's reach."""

ONE_THREAD_BELOW: Final = 10_000
"""Labels up to which one core is about as fast as two."""

ENOUGH_SCANS: Final = 20
"""Fewer labels of objects with a scan than this leave its variances as stated."""

MEDIAN_SQUARE: Final = 0.454936
"""Median of the square of a standard normal number."""

SMALLEST_SCAN_SCALE: Final = 1e-2
"""Labels that are the scan's own redshifts agree with it: the scan is not therefore
more than ten times as precise as it says."""

_BLOCKS: Final = 4
"""Column blocks of the triangular factor; its zeros below the diagonal are skipped
block by block, which saves three eighths of the products."""


@dataclass(frozen=True)
class Head:
    """Posterior of the last layer's weights, for latents of unit spread."""

    targets: tuple[str, ...]
    center: Floats
    """`T` means of the latents."""
    spread: Floats
    """`T` standard deviations of the latents."""
    precision: Floats
    """`T` prior precisions."""
    mean: Floats
    """`T x (D + 1)` posterior means; the last weight is the intercept."""
    factor: Floats
    """`T x (D + 1) x (D + 1)`, upper triangular: Σ = factor factorᵀ."""
    n_labels: NDArray[np.int64]
    """`T` labels that each latent has seen."""
    scan_scale: Floats = field(default_factory=lambda: np.ones(1))
    """One factor on the variances that a redshift scan states."""

    def predict(self, features: Features) -> Predictions:
        """Predictive distributions of `N` objects."""
        return self.predict_with_variance(features)[0]

    def predict_with_variance(self, features: Features) -> tuple[Predictions, Floats]:
        """What `predict` and `epistemic_variance` say, at the price of the first."""
        mean, epistemic, noise = self._latent(features)
        moments = TargetTransform(self.targets).back(
            mean * self.spread + self.center,
            epistemic * self.spread**2,
            noise * self.spread**2,
        )
        predictions = Predictions(
            self.targets,
            features.patterns,
            moments.center,
            np.sqrt(moments.epistemic),
            np.sqrt(moments.aleatoric),
        )
        return predictions, epistemic / noise

    def epistemic_variance(self, features: Features) -> Floats:
        """What the weights leave open, relative to the noise of a label.

        Args:
            features: `N` objects.

        Returns:
            `N x T` values of φᵀΣφ/s² with the unweighted Σ, per latent: 0 where a
            label would teach nothing.
        """
        # Without the means: their float64 products would cost half of this again.
        variance = np.empty((len(features), len(self.targets)))
        factors = self.factor.astype(np.float32)
        for rows, column, (design, _, noise) in self._channels(features):
            variance[rows, column] = _squared_norms(design, factors[column]) / noise
        return variance

    def _latent(self, features: Features) -> tuple[Floats, Floats, Floats]:
        """Means, epistemic variances and noise, `N x T`, latents of unit spread."""
        shape = (len(features), len(self.targets))
        mean, epistemic, noise = (np.empty(shape) for _ in range(3))
        factors = self.factor.astype(np.float32)
        for rows, column, (design, offset, own) in self._channels(features):
            noise[rows, column] = own
            mean[rows, column] = offset + design @ self.mean[column]
            epistemic[rows, column] = _squared_norms(design, factors[column])
        return mean, epistemic, noise

    def _channels(
        self, features: Features
    ) -> Iterator[tuple[slice, int, tuple[NDArray[np.float32], Floats, Floats]]]:
        """How every latent sees the objects, some rows at a time."""
        for start in range(0, len(features), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            some = features.take(rows)
            plain = with_constant(some.phi)  # copied once for all latents
            for column in range(len(self.targets)):
                yield rows, column, self._channel(some, plain, column)

    def _channel(
        self, features: Features, plain: NDArray[np.float32], column: int
    ) -> tuple[NDArray[np.float32], Floats, Floats]:
        """How one latent sees objects: φ and noise, or the scan where there is one.

        A redshift scan enters z as a measurement with its own variance:
        (φ + intercept)·(1 - has_scan) + scan. It is linear, and rows with and without
        a scan do not spoil each other's weights. The intercept is left out as well:
        scans a thousand times as precise would set it for all others.

        Args:
            features: `N` objects.
            plain: `N x (D + 1)` their φ with the constant, left as it is.
            column: which latent.

        Returns:
            Design `N x (D + 1)`, offset `N` and noise `N`, for a latent of unit spread.
        """
        center, spread = self.center[column], self.spread[column]
        noise = features.noise[:, column].astype(np.float64) / spread**2
        offset = np.zeros(len(features))
        if features.scan is None or self.targets[column] != Target.Z:
            return plain, offset, noise
        rows = scanned(features)
        design = np.where(rows[:, None], np.float32(0.0), plain)
        offset[rows] = (features.scan[rows, 0] - center) / spread
        noise[rows] = features.scan[rows, 1] * self.scan_scale / spread**2
        return design, offset, noise


def fit_head(
    network: Network,
    features: Features,
    values: Floats,
    errors: Floats,
    weights: Floats | None = None,
) -> Head:
    """The exact posterior of the last layer given labels.

    Args:
        network: gives the targets and the latents' scale.
        features: of the `N` labeled objects.
        values: `N x T` labels in the targets' units, NaN where unknown.
        errors: `N x T` their standard deviations, NaN where unknown.
        weights: `N` pool-density weights of mean 1; they enter the mean only.
    """
    with one_thread() if len(values) < ONE_THREAD_BELOW else nullcontext():
        return _fit_head(network, features, values, errors, weights)


def _fit_head(
    network: Network,
    features: Features,
    values: Floats,
    errors: Floats,
    weights: Floats | None,
) -> Head:
    latent, latent_errors, observed = network.transform.forward(values, errors)
    center, spread = network.latent_center, network.latent_spread
    posteriors: list[WeightPosterior] = []
    precisions: list[float] = []
    for column, target in enumerate(network.targets):
        known = observed[:, column]
        if target == Target.Z and features.blind_phi is None:
            known = known & ~scanned(features)
        rows = np.flatnonzero(known)
        phi, noise = _taught_by(features.take(rows), column, target)
        noise = noise / spread[column] ** 2
        precision, posterior = tuned_posterior(
            with_constant(phi).astype(np.float64),
            (latent[rows, column] - center[column]) / spread[column],
            noise + (latent_errors[rows, column] / spread[column]) ** 2,
            weights=None if weights is None else weights[rows],
        )
        posteriors.append(posterior)
        precisions.append(precision)
    return Head(
        network.targets,
        center,
        spread,
        np.array(precisions),
        np.stack([posterior.mean for posterior in posteriors]),
        np.stack([posterior.factor for posterior in posteriors]),
        observed.sum(axis=0).astype(np.int64),
        _scan_scale(network.targets, features, latent, latent_errors, observed),
    )


def _taught_by(
    features: Features, column: int, target: str
) -> tuple[NDArray[np.float32], Floats]:
    """φ and noise by which labels of one target teach the weights.

    Where a scan speaks for z, its label says what photometry and image would have had
    to say: it teaches those that have no spectrum.
    """
    phi, noise = features.phi, features.noise[:, column]
    blind, blind_noise = features.blind_phi, features.blind_noise
    if target == Target.Z and blind is not None and blind_noise is not None:
        spoken = scanned(features)
        phi = np.where(spoken[:, None], blind, phi)
        noise = np.where(spoken, blind_noise[:, column], noise)
    return phi, noise.astype(np.float64)


def _scan_scale(
    targets: tuple[str, ...],
    features: Features,
    latent: Floats,
    errors: Floats,
    observed: NDArray[np.bool_],
) -> Floats:
    """By how much the scan's own variances are too small, or too large."""
    if features.scan is None or Target.Z not in targets:
        return np.ones(1)
    column = targets.index(Target.Z)
    rows = scanned(features) & observed[:, column]
    if rows.sum() < ENOUGH_SCANS:
        return np.ones(1)
    z, variance = features.scan[rows].astype(np.float64).T
    error = latent[rows, column] - z
    # The median: one wrong scan in twenty must not blow up all the others.
    ratio = np.median(error**2 / (variance + errors[rows, column] ** 2))
    return np.array([max(float(ratio) / MEDIAN_SQUARE, SMALLEST_SCAN_SCALE)])


def scanned(features: Features) -> NDArray[np.bool_]:
    """`N` flags: a redshift scan speaks for z."""
    if features.scan is None:
        return np.zeros(len(features), dtype=np.bool_)
    return np.asarray(np.isfinite(features.scan[:, 0]))


def with_constant(phi: NDArray[np.float32]) -> NDArray[np.float32]:
    """`N x D` features to `N x (D + 1)` with the constant 1 of the intercept."""
    constant = np.ones((len(phi), 1), dtype=np.float32)
    return np.concatenate([phi, constant], axis=1, dtype=np.float32)


def _squared_norms(
    design: NDArray[np.float32], factor: NDArray[np.float32]
) -> NDArray[np.float32]:
    """`N` squared norms of the rows of design · factor, factor upper triangular."""
    total = np.zeros(len(design), dtype=np.float32)
    edges = np.linspace(0, len(factor), _BLOCKS + 1).astype(int)
    for left, right in pairwise(edges):
        block = design[:, :right] @ factor[:right, left:right]
        total += np.einsum("nd,nd->n", block, block)
    return total

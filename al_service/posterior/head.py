"""The Bayesian last layer: what it says of objects.

What φ means hangs on what was measured. So every pattern of modalities that is not rare
has weights of its own, which all labels teach (`posterior/teaching.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.models.targets_transform import TargetTransform
from al_service.posterior.features import Features
from al_service.posterior.predictions import Predictions
from al_service.posterior.scan_measurement import doubted, scanned
from al_service.survey.inputs import Modality, Rows
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

CHUNK_ROWS: Final = 8192
"""Objects predicted at a time: intermediate products stay in the cache's reach."""

EVERYTHING: Final = int(Modality.PHOTOMETRY | Modality.IMAGE | Modality.SPECTRUM)

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
    """`P x T` prior precisions."""
    mean: Floats
    """`P x T x (D + 1)` posterior means; the last weight is the intercept."""
    factor: Floats
    """`P x T x (D + 1) x (D + 1)`, upper triangular: Σ = factor factorᵀ."""
    n_labels: NDArray[np.int64]
    """`T` labels that each latent has seen."""
    scan_scale: Floats = field(default_factory=lambda: np.ones(1))
    """One factor on the variances that a redshift scan states."""
    patterns: NDArray[np.int64] = field(default_factory=lambda: np.array([EVERYTHING]))
    """`P` unions of `Modality` with weights of their own, first all that the network
    looks at. An object that lacks something is served by the smallest pattern that has
    all that it has."""
    correlation: Floats | None = None
    """`T x T` of the latents' errors (`posterior/error_correlation.py`); None, as in
    older checkpoints: they are taken for independent."""

    def predict(self, features: Features) -> Predictions:
        """Predictive distributions of `N` objects."""
        return self.predict_with_variance(features)[0]

    def predict_with_variance(self, features: Features) -> tuple[Predictions, Floats]:
        """What `predict` and `epistemic_variance` say, at the price of the first."""
        patterns, (mean, epistemic, noise) = self._latent(features)
        moments = TargetTransform(self.targets).back(
            mean * self.spread + self.center,
            epistemic * self.spread**2,
            noise * self.spread**2,
            self.correlation,
        )
        predictions = Predictions(
            self.targets,
            patterns,
            moments.center,
            np.sqrt(moments.epistemic),
            np.sqrt(moments.aleatoric),
        )
        return predictions, epistemic / noise

    def standardized_errors(
        self, features: Features, latent: Floats, errors: Floats
    ) -> Floats:
        """How far labels are from the predictions, in predicted standard deviations.

        Args:
            features: of `N` labeled objects.
            latent: `N x T` labels as latents.
            errors: `N x T` their standard deviations.
        """
        _, (mean, epistemic, noise) = self._latent(features)
        variance = (epistemic + noise) * self.spread**2 + errors**2
        off: Floats = latent - mean * self.spread - self.center
        return off / np.sqrt(variance)

    def informed(self, patterns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether anything is known of a target: somebody's label, or a scan for z.

        Args:
            patterns: `N` unions of `Modality`, as predictions have them.

        Returns:
            `N x T` flags; without one a prediction is the prior, in nobody's unit.
        """
        flags = np.tile(self.n_labels > 0, (len(patterns), 1))
        if Target.Z in self.targets:
            column = self.targets.index(Target.Z)
            flags[:, column] |= (patterns & int(Modality.REDSHIFT)) != 0
        return flags

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
        for rows, some, (_, factors) in self._pieces(features):
            for column, (design, _, noise) in self._channels(some):
                own = _squared_norms(design, factors[column])
                variance[rows, column] = own / noise
        return variance

    def believing(self, features: Features) -> Features:
        """The same objects without the spectra whose scan contradicts all the rest.

        Args:
            features: `N` objects.
        """
        rows = np.flatnonzero(scanned(features))
        if features.scan is None or features.blind_phi is None or len(rows) == 0:
            return features
        column = self.targets.index(Target.Z)
        center, variance = self._redshifts(features.take(rows).without_spectra())
        wrong = doubted(
            features.scan[rows],
            center * self.spread[column] + self.center[column],
            variance * self.spread[column] ** 2,
        )
        return features.leaving_spectra(rows[wrong]) if wrong.any() else features

    def _redshifts(self, features: Features) -> tuple[Floats, Floats]:
        """Means and variances of z, latents of unit spread, of objects not scanned."""
        column = self.targets.index(Target.Z)
        mean, variance = np.empty(len(features)), np.empty(len(features))
        for rows, some, (weights, factors) in self._pieces(features):
            design, offset, noise = self._channel(some, with_constant(some.phi), column)
            mean[rows] = offset + design @ weights[column]
            variance[rows] = noise + _squared_norms(design, factors[column])
        return mean, variance

    def _latent(
        self, features: Features
    ) -> tuple[NDArray[np.int64], tuple[Floats, Floats, Floats]]:
        """Patterns `N`; means, epistemic variances and noise `N x T`, unit spread."""
        shape = (len(features), len(self.targets))
        patterns = np.empty(len(features), dtype=np.int64)
        mean, epistemic, noise = (np.empty(shape) for _ in range(3))
        for rows, some, (weights, factors) in self._pieces(features):
            patterns[rows] = some.patterns
            for column, (design, offset, own) in self._channels(some):
                noise[rows, column] = own
                mean[rows, column] = offset + design @ weights[column]
                epistemic[rows, column] = _squared_norms(design, factors[column])
        return patterns, (mean, epistemic, noise)

    def _pieces(
        self, features: Features
    ) -> Iterator[tuple[Rows, Features, tuple[Floats, NDArray[np.float32]]]]:
        """Objects that share weights, some at a time, without doubted spectra.

        Returns:
            Rows, their features, and means and factors of the weights.
        """
        factors = self.factor.astype(np.float32)
        for start in range(0, len(features), CHUNK_ROWS):
            some = self.believing(features.take(slice(start, start + CHUNK_ROWS)))
            which = self.serving(some.patterns)
            for place in np.unique(which):
                rows = np.flatnonzero(which == place)
                whole = len(rows) == len(some)
                piece = some if whole else some.take(rows)
                weights = self.mean[place], factors[place]
                yield start + rows, piece, weights

    def serving(self, patterns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of `P` serves each object.

        Args:
            patterns: `N` unions of `Modality`: what objects have.
        """
        which = np.empty(len(patterns), dtype=np.int64)
        for pattern in np.unique(patterns):
            seen = int(pattern) & int(self.patterns[0])
            fitting = np.flatnonzero((self.patterns & seen) == seen)
            size = np.bitwise_count(self.patterns[fitting])
            which[patterns == pattern] = fitting[np.argmin(size)]
        return which

    def _channels(
        self, some: Features
    ) -> Iterator[tuple[int, tuple[NDArray[np.float32], Floats, Floats]]]:
        """How every latent sees some objects."""
        plain = with_constant(some.phi)  # copied once for all latents
        for column in range(len(self.targets)):
            yield column, self._channel(some, plain, column)

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

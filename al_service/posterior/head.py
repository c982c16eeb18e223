"""The Bayesian last layer: what it says of objects.

What φ means hangs on what was measured. So every pattern of modalities that is not rare
has weights of its own, which all labels teach (`posterior/teaching.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.models.targets_transform import TargetTransform
from al_service.posterior.closed_form import squared_norms
from al_service.posterior.features import Features
from al_service.posterior.predictions import Predictions
from al_service.posterior.scan_measurement import doubted, scanned
from al_service.survey.inputs import Modality, Rows
from al_service.survey.targets import Target

Floats = NDArray[np.float64]

CHUNK_ROWS: Final = 8192
"""Objects predicted at a time: intermediate products stay in the cache's reach."""

EVERYTHING: Final = int(Modality.PHOTOMETRY | Modality.IMAGE | Modality.SPECTRUM)


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
    """`P x T x T` of the latents' errors (`posterior/error_correlation.py`); None, as
    in older checkpoints: they are taken for independent."""

    def predict(self, features: Features) -> Predictions:
        """Predictive distributions of `N` objects."""
        return self.predict_with_variance(features)[0]

    def predict_with_variance(self, features: Features) -> tuple[Predictions, Floats]:
        """What `predict` and `epistemic_variance` say, at the price of the first."""
        transform = TargetTransform(self.targets)
        shape = (len(features), len(self.targets))
        patterns = np.empty(len(features), dtype=np.int64)
        center, epistemic, aleatoric, relative = (np.empty(shape) for _ in range(4))
        for rows, some, weights in self._pieces(features):
            mean, variance, noise = self._latent(some, weights)
            moments = transform.back(
                mean * self.spread + self.center,
                variance * self.spread**2,
                noise * self.spread**2,
                weights.correlation,
            )
            patterns[rows], center[rows] = some.patterns, moments.center
            epistemic[rows] = np.sqrt(moments.epistemic)
            aleatoric[rows] = np.sqrt(moments.aleatoric)
            relative[rows] = variance / noise
        said = Predictions(self.targets, patterns, center, epistemic, aleatoric)
        return said, relative

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
        for rows, some, weights in self._pieces(features):
            for column, (design, _, noise) in self._channels(some):
                own = squared_norms(design, weights.factor[column])
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
        for rows, some, weights in self._pieces(features):
            design, offset, noise = self._channel(some, with_constant(some.phi), column)
            mean[rows] = offset + design @ weights.mean[column]
            variance[rows] = noise + squared_norms(design, weights.factor[column])
        return mean, variance

    def _latent(
        self, some: Features, weights: "_Weights"
    ) -> tuple[Floats, Floats, Floats]:
        """Means, epistemic variances and noise `N x T`, latents of unit spread."""
        shape = (len(some), len(self.targets))
        mean, epistemic, noise = (np.empty(shape) for _ in range(3))
        for column, (design, offset, own) in self._channels(some):
            noise[:, column] = own
            mean[:, column] = offset + design @ weights.mean[column]
            epistemic[:, column] = squared_norms(design, weights.factor[column])
        return mean, epistemic, noise

    def _pieces(
        self, features: Features
    ) -> Iterator[tuple[Rows, Features, "_Weights"]]:
        """Rows that share weights, some at a time, and their objects.

        Doubted spectra are left out.
        """
        factors = self.factor.astype(np.float32)
        for start in range(0, len(features), CHUNK_ROWS):
            some = self.believing(features.take(slice(start, start + CHUNK_ROWS)))
            which = self.serving(some.patterns)
            for place in np.unique(which):
                rows = np.flatnonzero(which == place)
                whole = len(rows) == len(some)
                piece = some if whole else some.take(rows)
                together = self.correlation
                weights = _Weights(
                    self.mean[place],
                    factors[place],
                    None if together is None else together[place],
                )
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


@dataclass(frozen=True)
class _Weights:
    """Those of one pattern."""

    mean: Floats
    """`T x (D + 1)`."""
    factor: NDArray[np.float32]
    """`T x (D + 1) x (D + 1)`."""
    correlation: Floats | None
    """`T x T`."""


def with_constant(phi: NDArray[np.float32]) -> NDArray[np.float32]:
    """`N x D` features to `N x (D + 1)` with the constant 1 of the intercept."""
    constant = np.ones((len(phi), 1), dtype=np.float32)
    return np.concatenate([phi, constant], axis=1, dtype=np.float32)

"""Features whose directions count alike.

Trained features collapse: sixteen eigenvalues of their covariance hold nearly
everything (SCIENCE 4b). Distances and variances on raw φ would see only those.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

RELATIVE_FLOOR: Final = 1e-3
"""Eigenvalues below this share of the largest are lifted only as if they were this
large: directions that weak hold rounding noise, not galaxies."""

_SMALLEST: Final = 1e-12
"""Variance below which features of order one are constant."""


@dataclass(frozen=True)
class Whitening:
    """An affine map of φ, learned from unlabeled objects."""

    center: NDArray[np.float64]
    """`D`."""
    matrix: NDArray[np.float64]
    """`D x D`."""

    @classmethod
    def fit(cls, phi: NDArray[np.floating], floor: float = RELATIVE_FLOOR) -> Self:
        """Learn from features.

        Args:
            phi: `N x D` raw features of any objects.
            floor: smallest eigenvalue that is fully lifted, relative to the largest.
        """
        center = phi.mean(axis=0, dtype=np.float64)
        centered = phi.astype(np.float64) - center
        covariance = centered.T @ centered / max(len(phi), 1)
        values, vectors = np.linalg.eigh(covariance)
        lowest = max(floor * float(values[-1]), _SMALLEST)
        lifted = np.sqrt(np.maximum(values, lowest))
        return cls(center, vectors / lifted)

    @property
    def distance_scale(self) -> NDArray[np.float64]:
        """`D` factors on whitened features, at most 1: half of the whitening undone.

        Fully white, a hundred noisy directions outvote the few that the targets
        follow; raw, distances would see only those few. In a trial of 300 labels
        half-white ones gave 2 % less error than white ones and 1 % less than raw ones.
        """
        strength = 1.0 / np.linalg.norm(self.matrix, axis=0)
        return np.asarray(np.sqrt(strength / strength.max()), dtype=np.float64)

    @property
    def participation_ratio(self) -> float:
        """How many directions the raw features fill: (Σλ)²/Σλ² of their covariance.

        Near 1 every distance sees one direction only; `D` would be white.
        """
        variance = 1.0 / np.einsum("de,de->e", self.matrix, self.matrix)
        return float(variance.sum() ** 2 / (variance**2).sum())

    def apply(self, phi: NDArray[np.floating]) -> NDArray[np.float32]:
        """`N x D` raw features to `N x D` whitened ones."""
        # Centered first: the difference of two float32 products would lose digits.
        centered = (phi - self.center).astype(np.float32)
        return np.asarray(centered @ self.matrix.astype(np.float32))

"""What labels of all targets together say about the weights of the last layer.

Every target has a posterior of its own. Choosing batches jointly under nine of them
would cost nine times the memory and time, so that one posterior stands for all: a label
counts with the weighted mean of the precision that it has for the targets. With one
target, or equal noise and priors, this is exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from al_service.errors import InvalidInput
from al_service.posterior.closed_form import INTERCEPT_PRECISION

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Aims:
    """Objects that the model will be asked about: a sample of the pool."""

    features: NDArray[np.float32]
    """`K x D` whitened features."""

    precision: Floats
    """`K` precisions of a label, unit-spread latents."""

    weights: Floats
    """`K` how much each matters, at least 0; their scale means nothing."""


@dataclass(frozen=True)
class Knowledge:
    """What strategies need that look at the posterior and not at distances alone."""

    precision: Floats
    """`N` precisions of the candidates' labels: 0 where a label teaches nothing."""

    center_precision: Floats
    """`M` those of labeled and pending objects: a label that is on its way counts."""

    prior: float
    """Prior precision of the weights, the intercept's aside."""

    aims: Aims

    def take(self, rows: NDArray[np.integer]) -> "Knowledge":
        """The same for some candidates."""
        return Knowledge(
            self.precision[rows], self.center_precision, self.prior, self.aims
        )


def target_weights(
    targets: Sequence[str], declared: Mapping[str, float]
) -> NDArray[np.float64]:
    """`T` weights with mean 1: 1 for a target of which nothing was declared.

    Args:
        targets: names of the `T` targets.
        declared: target to weight, at least 0; one of them positive.
    """
    weights = np.array([declared.get(target, 1.0) for target in targets])
    if not weights.sum() > 0:
        raise InvalidInput(
            f"expected a positive weight of one of {', '.join(targets)}, found none"
        )
    normalized: Floats = weights / weights.mean()
    return normalized


def label_precision(
    noise: NDArray[np.floating],
    spread: Floats,
    weights: Floats,
    *,
    settled: NDArray[np.bool_] | None = None,
) -> Floats:
    """How much one label says, mean over targets.

    Args:
        noise: `N x T` variances of a label, latent units squared, positive.
        spread: `T` standard deviations of the latents.
        weights: `T` of mean 1.
        settled: `N x T` flags of targets of an object that hang on no weight, such as
            the redshift of a galaxy whose spectrum was scanned.

    Returns:
        `N` precisions for latents of unit spread.
    """
    precision = spread**2 / noise.astype(np.float64)
    if settled is not None:
        precision[settled] = 0.0
    mean: Floats = (precision * weights).mean(axis=1)
    return mean


def unit_noise(
    features: NDArray[np.floating], precision: Floats
) -> NDArray[np.float32]:
    """Features with the intercept's constant, scaled so that every label has noise 1.

    Args:
        features: `N x D`.
        precision: `N` precisions of the labels.

    Returns:
        `N x (D + 1)`: xᵀΣx is epistemic variance over noise.
    """
    root = np.sqrt(precision).astype(np.float32)
    points = np.empty((len(features), features.shape[1] + 1), dtype=np.float32)
    np.multiply(features, root[:, None], out=points[:, :-1], casting="same_kind")
    points[:, -1] = root
    return points


def covariance_of(points: NDArray[np.float32], prior: float) -> Floats:
    """Posterior covariance of the weights, given where labels are.

    Args:
        points: `M x (D + 1)` labeled and pending objects, unit noise.
        prior: precision of all weights but the intercept.

    Returns:
        `(D + 1) x (D + 1)`, Σ = (diag(α) + Σᵢ xᵢxᵢᵀ)⁻¹.
    """
    exact = points.astype(np.float64)
    with threadpool_limits(1, user_api="blas"):  # the same bits on every machine
        gram = exact.T @ exact
        diagonal = np.full(len(gram), prior)
        diagonal[-1] = INTERCEPT_PRECISION
        gram[np.diag_indices_from(gram)] += diagonal
        covariance = np.linalg.inv(gram)
    symmetric: Floats = 0.5 * (covariance + covariance.T)
    return symmetric


def aim_moment(points: NDArray[np.floating], weights: Floats) -> Floats:
    """The weighted mean of xxᵀ over the objects that matter.

    Args:
        points: `K x D` of them.
        weights: `K`, at least 0.

    Returns:
        `D x D` matrix F: tr(ΣF) is the mean epistemic variance there.
    """
    total = float(weights.sum())
    if not total > 0:
        raise InvalidInput("expected a positive weight of one aim, found none")
    exact = points.astype(np.float64)
    with threadpool_limits(1, user_api="blas"):
        moment: Floats = (exact * (weights / total)[:, None]).T @ exact
    return moment

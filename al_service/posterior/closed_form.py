"""The exact posterior of a linear layer with Gaussian noise, in float64.

    Σ = (diag(α) + Σᵢ φᵢφᵢᵀ/s²ᵢ)⁻¹,    mean = Σ Σᵢ φᵢ yᵢ/s²ᵢ

(Bishop 2006, section 3.3). This is the posterior of `models/pyro_model.py` for one
member, given φ and s².
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, eigh, solve_triangular

Floats = NDArray[np.float64]

INTERCEPT_PRECISION: Final = 1.0
"""Prior precision of the intercept: latents have zero mean and unit spread."""

PRIOR_ONLY_PRECISION: Final = 256.0
"""Prior precision where too few labels can choose one: for whitened features the
prior spread of a latent is then its spread over the training labels."""

TUNE_FROM: Final = 10
"""Fewer labels than this choose no prior precision."""

RATIOS: Final = np.logspace(-1, 5, 25)
"""Prior precisions to try: for whitened features the useful ones lie around the
number of features, by which the prior spread of the function is of order one."""

MIDDLE_RATIO: Final = 100.0
"""Where the grid is centered."""

_LEAST_LEFT: Final = 1e-3
"""Share of a label's variance that all others leave open at least: what is less is
rounding in single precision."""

_BLOCKS: Final = 4
"""Column blocks of a triangular factor; its zeros below the diagonal are skipped
block by block, which saves three eighths of the products."""


@dataclass(frozen=True)
class WeightPosterior:
    """Gaussian posterior of `D` weights."""

    mean: Floats
    """`D`."""
    factor: Floats
    """`D x D`, upper triangular, with Σ = factor factorᵀ: the variance of φ·w is
    the squared norm of φ·factor."""


def exact_posterior(
    design: Floats,
    values: Floats,
    noise: Floats,
    precision: Floats,
    *,
    weights: Floats | None = None,
) -> WeightPosterior:
    """The posterior of the weights of one latent target.

    Args:
        design: `N x D` features of the labeled objects.
        values: `N` labels.
        noise: `N` variances of the labels, positive.
        precision: `D` prior precisions α.
        weights: `N` powers of the likelihood. They enter the mean only: a label
            that stands for many objects is not therefore more precise.
    """
    upper = _factor(design, noise, precision)
    if weights is None:
        # Σ is factor factorᵀ, so the mean needs two products and no further solve.
        return WeightPosterior(upper @ (upper.T @ (design.T @ (values / noise))), upper)
    weighted = noise / np.maximum(weights, np.finfo(np.float64).tiny)
    lower = np.linalg.cholesky(_gram(design, weighted, precision))
    mean = cho_solve((lower, True), design.T @ (values / weighted))
    return WeightPosterior(np.asarray(mean, dtype=np.float64), upper)


def tuned_posterior(
    design: Floats, values: Floats, noise: Floats, *, weights: Floats | None = None
) -> tuple[float, WeightPosterior]:
    """The posterior under the prior precision that predicts left-out labels best.

    Args:
        design: `N x D` features, the last of them the constant 1.
        values: `N` labels.
        noise: `N` variances of the labels.
        weights: `N` powers of the likelihood, for the mean only.

    Returns:
        The precision α of all weights but the intercept, and the posterior.
    """
    precision = PRIOR_ONLY_PRECISION
    if len(values) >= TUNE_FROM:
        precision = best_precision(design, values, noise)
    precisions = np.full(design.shape[1], precision)
    precisions[-1] = INTERCEPT_PRECISION
    return precision, exact_posterior(
        design, values, noise, precisions, weights=weights
    )


def left_out_errors(
    design: Floats, values: Floats, noise: Floats, posterior: WeightPosterior
) -> Floats:
    """How far labels are from what all others say of them, in standard deviations.

    Without label i its residual is rᵢ/(1 - hᵢ) and its variance s²ᵢ/(1 - hᵢ), where
    hᵢ = φᵢᵀΣφᵢ/s²ᵢ and rᵢ is the residual with it: the quotient is rᵢ/√(s²ᵢ - φᵢᵀΣφᵢ).

    Args:
        design: `N x D` features that have taught.
        values: `N` labels.
        noise: `N` variances of the labels.
        posterior: what they have taught.
    """
    explained = squared_norms(
        design.astype(np.float32), posterior.factor.astype(np.float32)
    )
    left = np.maximum(noise - explained, _LEAST_LEFT * noise)
    return np.asarray((values - design @ posterior.mean) / np.sqrt(left))


def squared_norms(
    design: NDArray[np.float32], factor: NDArray[np.float32]
) -> NDArray[np.float32]:
    """`N` squared norms of the rows of design · factor, factor upper triangular."""
    total = np.zeros(len(design), dtype=np.float32)
    edges = np.linspace(0, len(factor), _BLOCKS + 1).astype(int)
    for left, right in pairwise(edges):
        block = design[:, :right] @ factor[:right, left:right]
        total += np.einsum("nd,nd->n", block, block)
    return total


def best_precision(design: Floats, values: Floats, noise: Floats) -> float:
    """The prior precision that predicts left-out labels best.

    Every label is predicted from all others, in closed form; the score is the
    Gaussian log density, with one factor on all variances profiled out.

    Args:
        design: `N x D` features, the last of them the constant 1.
        values: `N` labels.
        noise: `N` variances of the labels.

    Returns:
        One of `RATIOS`.
    """
    root = 1.0 / np.sqrt(noise)
    scaled = design * root[:, None]
    # The intercept's column is scaled so that one number serves all columns; how
    # its own precision then varies along the grid does not matter.
    scaled[:, -1] *= np.sqrt(MIDDLE_RATIO / INTERCEPT_PRECISION)
    target = values * root
    eigenvalues, vectors = eigh(scaled.T @ scaled)
    rotated = scaled @ vectors  # N x D
    projected = rotated.T @ target
    squares = rotated**2
    scores = [
        _left_out_score(target, rotated, squares, projected, eigenvalues + precision)
        for precision in RATIOS
    ]
    return float(RATIOS[int(np.argmax(scores))])


def _left_out_score(
    target: Floats,
    rotated: Floats,
    squares: Floats,
    projected: Floats,
    curvature: Floats,
) -> float:
    """Mean log density of left-out labels, up to a constant."""
    inverse = 1.0 / np.maximum(curvature, np.finfo(np.float64).tiny)
    leverage = np.minimum(squares @ inverse, 1.0 - 1e-9)
    # Residual and relative variance of label i predicted without label i.
    residual = (target - rotated @ (projected * inverse)) / (1.0 - leverage)
    variance = 1.0 + leverage / (1.0 - leverage)
    scale = float(np.mean(residual**2 / variance))
    return -0.5 * (math.log(scale + 1e-300) + float(np.mean(np.log(variance))))


def _factor(design: Floats, noise: Floats, precision: Floats) -> Floats:
    lower = np.linalg.cholesky(_gram(design, noise, precision))
    identity = np.eye(len(precision))
    return np.asarray(solve_triangular(lower, identity, lower=True).T)


def _gram(design: Floats, noise: Floats, precision: Floats) -> Floats:
    root = design / np.sqrt(noise)[:, None]
    gram: Floats = root.T @ root
    gram[np.diag_indices_from(gram)] += precision
    return gram

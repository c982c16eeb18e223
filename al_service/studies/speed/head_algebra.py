"""The linear algebra of a head run and nothing else: its peer.

Gram matrices and Cholesky factors of the labels, the products that give variances,
the distances to the labeled: no reading, no checks, no metrics, no publication.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from al_service.studies.speed.order import bare_distances
from al_service.studies.speed.variance import bare_products


def bare_head_run(
    phi: NDArray[np.float32],
    labeled: NDArray[np.float32],
    *,
    n_targets: int,
    looked_at: int,
) -> float:
    """Everything that a head run has to multiply.

    Args:
        phi: `N x D` features of the pool, in memory.
        labeled: `M x D` features of the labels.
        n_targets: `T`, each with a noise of its own.
        looked_at: candidates whose distances to the labels count.

    Returns:
        A number that depends on all of it, so that nobody can skip a part.
    """
    factors = np.stack(
        [_factor(labeled, noise=0.1 * (1 + at)) for at in range(n_targets)]
    )
    total = bare_products(phi, factors)
    return total + float(bare_distances(phi[:looked_at], labeled).sum())


def _factor(labeled: NDArray[np.float32], *, noise: float) -> NDArray[np.float32]:
    """A `D x D` factor of the covariance of the weights, by float64 Cholesky."""
    root = labeled.astype(np.float64) / np.sqrt(noise)
    gram = root.T @ root
    gram[np.diag_indices_from(gram)] += 1.0
    lower = np.linalg.cholesky(gram)
    factor = solve_triangular(lower, np.eye(len(gram)), lower=True).T
    return np.ascontiguousarray(factor, dtype=np.float32)

"""The exact epistemic variance of a whole pool on cached features."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.posterior.head import Head
from al_service.studies.speed.crowded_sky import (
    PRIOR_PRECISION,
    Sky,
    crowded_sky,
    design_of,
    exact_head,
)
from al_service.studies.speed.measuring import (
    Budget,
    Fact,
    Measurement,
    Size,
    side_by_side,
)

NAME: Final = "variance"

BUDGET: Final = Budget(at_most=1.2, ratio=1.2)
"""DESIGN.md section 8; its own bare products took 1.0 s."""


@dataclass(frozen=True)
class _Scale:
    objects: int
    labels: int
    dim: int
    repeats: int


_SCALES: Final = {
    Size.SMALL: _Scale(objects=2000, labels=300, dim=32, repeats=2),
    Size.FULL: _Scale(objects=100_000, labels=4000, dim=256, repeats=5),
}

_CHUNK = 8192
_CHECKED = 200
"""Objects whose variance is also computed by the formula, in float64."""


def measure(size: Size) -> list[Measurement]:
    """Time `Head.epistemic_variance` against its products alone."""
    scale = _SCALES[size]
    sky = crowded_sky(scale.objects, scale.labels, scale.dim)
    head = exact_head(sky)
    pool = sky.features.take(slice(scale.labels, None))
    factors = head.factor[0, :, : scale.dim, : scale.dim].astype(np.float32)
    times = side_by_side(
        lambda: head.epistemic_variance(pool),
        lambda: bare_products(pool.phi, factors),
        repeats=scale.repeats,
    )
    checked: dict[str, Fact] = {
        "largest_relative_error": _largest_error(sky, head, times.our_result)
    }
    return [
        Measurement(
            benchmark=NAME,
            what=f"epistemic variance, {scale.objects:,} objects x "
            f"{len(head.targets)} targets, D = {scale.dim}",
            unit="s",
            ours=times.ours.seconds,
            peer="the bare float32 products",
            theirs=times.theirs.seconds,
            budget=BUDGET,
            facts=checked | times.facts(),
        )
    ]


def bare_products(phi: NDArray[np.float32], factors: NDArray[np.float32]) -> float:
    """`N x D` features times `T` factors `D x D`, nothing else.

    Returns:
        A number that depends on the products, so that nobody can skip them.
    """
    product = np.empty((_CHUNK, phi.shape[1]), dtype=np.float32)
    total = 0.0
    for start in range(0, len(phi), _CHUNK):
        rows = phi[start : start + _CHUNK]
        for factor in factors:
            np.matmul(rows, factor, out=product[: len(rows)])
        total += float(product[0, 0])
    return total


def _largest_error(sky: Sky, head: Head, found: NDArray[np.float64]) -> float:
    """Against φᵀ(αI + Σφφᵀ/s²)⁻¹φ/s², solved directly for some objects."""
    labels = design_of(sky.labeled)
    rows = np.linspace(0, len(found) - 1, _CHECKED).astype(np.int64)
    asked = design_of(sky.unlabeled[rows])
    noise = sky.features.noise.astype(np.float64)
    worst = 0.0
    for column in range(len(head.targets)):
        precision = (labels / noise[: sky.n_labeled, [column]]).T @ labels
        precision[np.diag_indices_from(precision)] += PRIOR_PRECISION
        direct = np.einsum("nd,dn->n", asked, np.linalg.solve(precision, asked.T))
        direct /= noise[sky.n_labeled + rows, column]
        worst = max(worst, float(np.abs(found[rows, column] / direct - 1.0).max()))
    return worst

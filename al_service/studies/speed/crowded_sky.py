"""Features of a pool as large as one likes, with labels and a last layer.

The features are smooth functions of a few hidden numbers per galaxy, whitened like
those of a trained network: galaxies have few degrees of freedom, and clusters in
feature space are what the cost of choosing diverse objects depends on.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.models.whitening import Whitening
from al_service.posterior.closed_form import exact_posterior
from al_service.posterior.features import Features
from al_service.posterior.head import Head
from al_service.survey.inputs import Modality
from al_service.survey.targets import DEFAULT_TARGETS

HIDDEN: Final = 12
"""Degrees of freedom of a galaxy: a spectrum needs about ten components."""

PRIOR_PRECISION: Final = 100.0

_CHUNK = 16_384
_WHITENING_ROWS = 20_000


@dataclass(frozen=True)
class Sky:
    """A pool of `N` objects, of which the first `M` are labeled."""

    features: Features
    n_labeled: int
    values: NDArray[np.float64]
    """`M x T` labels as latents of unit spread."""

    @property
    def unlabeled(self) -> NDArray[np.float32]:
        """`(N - M) x D` features that may be asked."""
        return self.features.phi[self.n_labeled :]

    @property
    def labeled(self) -> NDArray[np.float32]:
        """`M x D` features of the labels."""
        return self.features.phi[: self.n_labeled]


def crowded_sky(n_objects: int, n_labeled: int, dim: int, *, seed: int = 0) -> Sky:
    """Draw a pool; the same arguments give the same pool."""
    generator = np.random.default_rng(seed)
    phi = _whitened(generator, n_labeled + n_objects, dim)
    shape = (len(phi), len(DEFAULT_TARGETS))
    noise = generator.uniform(0.05, 0.5, shape).astype(np.float32)
    weights = generator.standard_normal((dim, shape[1])) / np.sqrt(dim)
    known = slice(0, n_labeled)
    values = phi[known].astype(np.float64) @ weights
    values += generator.standard_normal(values.shape) * np.sqrt(noise[known])
    patterns = np.full(len(phi), int(Modality.PHOTOMETRY), dtype=np.int64)
    return Sky(Features(phi, noise, patterns), n_labeled, values)


def exact_head(sky: Sky) -> Head:
    """The exact posterior of the last layer given the labels of a pool."""
    design = design_of(sky.labeled)
    precision = np.full(design.shape[1], PRIOR_PRECISION)
    noise = sky.features.noise[: sky.n_labeled].astype(np.float64)
    posteriors = [
        exact_posterior(design, values, s2, precision)
        for values, s2 in zip(sky.values.T, noise.T, strict=True)
    ]
    count = len(posteriors)
    return Head(
        targets=DEFAULT_TARGETS,
        center=np.zeros(count),
        spread=np.ones(count),
        precision=np.full((1, count), PRIOR_PRECISION),
        mean=np.stack([posterior.mean for posterior in posteriors])[None],
        factor=np.stack([posterior.factor for posterior in posteriors])[None],
        n_labels=np.full(count, sky.n_labeled),
    )


def design_of(phi: NDArray[np.float32]) -> NDArray[np.float64]:
    """`N x (D + 1)`: features and the constant 1."""
    return np.column_stack([phi.astype(np.float64), np.ones(len(phi))])


def _whitened(
    generator: np.random.Generator, count: int, dim: int
) -> NDArray[np.float32]:
    mixing = generator.standard_normal((HIDDEN, dim)) / np.sqrt(HIDDEN)
    offset = generator.uniform(-np.pi, np.pi, dim)
    phi = np.empty((count, dim), dtype=np.float32)
    for start in range(0, count, _CHUNK):
        rows = phi[start : start + _CHUNK]
        hidden = generator.standard_normal((len(rows), HIDDEN))
        rows[:] = np.sin(hidden @ mixing * 2.0 + offset)
    whitening = Whitening.fit(phi[:_WHITENING_ROWS])
    for start in range(0, count, _CHUNK):
        phi[start : start + _CHUNK] = whitening.apply(phi[start : start + _CHUNK])
    return phi

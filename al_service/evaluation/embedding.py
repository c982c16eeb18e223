"""Features in two dimensions, to be looked at.

Neither picture keeps distances: neighbors are neighbors, far is just not near.
"""

import importlib
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from al_service.errors import InvalidInput

LEAST: Final = 4
"""Objects without which neighborhoods mean nothing."""

_NEIGHBORS: Final = 15
"""UMAP's default, fewer where there are fewer objects."""

_PERPLEXITY: Final = 30.0
"""t-SNE's default, less where there are fewer objects."""


class Embedding(StrEnum):
    """A way into two dimensions."""

    UMAP = "umap"  # McInnes, Healy & Melville 2018
    TSNE = "tsne"  # van der Maaten & Hinton 2008


def embed(
    features: NDArray[np.floating], method: Embedding, *, seed: int
) -> NDArray[np.float32]:
    """Lay objects out in a plane so that neighbors stay neighbors.

    Args:
        features: `N x D`, on one scale (whitened φ).
        method: which layout.
        seed: the same seed gives the same layout on the same machine.

    Returns:
        `N x 2`, without unit.

    Raises:
        InvalidInput: fewer than four objects.
    """
    n = len(features)
    if n < LEAST:
        raise InvalidInput(f"expected at least {LEAST} objects to lay out, found {n}")
    columns = np.asarray(features, dtype=np.float32)
    # Both take a 32-bit seed.
    state = seed % 2**32
    layout: Any  # as neither library is typed
    if method is Embedding.TSNE:
        layout = TSNE(perplexity=min(_PERPLEXITY, (n - 1) / 3), random_state=state)
    else:
        # Importing it compiles for ten seconds: only who wants it waits.
        layout = importlib.import_module("umap").UMAP(
            n_neighbors=min(_NEIGHBORS, n - 1),
            random_state=state,
            n_jobs=1,  # what a seed means anyway
            init="pca" if n <= 2 * LEAST else "spectral",
        )
    return np.asarray(layout.fit_transform(columns), dtype=np.float32)

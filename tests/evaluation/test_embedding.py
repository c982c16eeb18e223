import numpy as np
import pytest
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.evaluation.embedding import Embedding, embed


def two_kinds() -> NDArray[np.float64]:
    """Two well separated clouds of thirty in eight dimensions."""
    features = np.random.default_rng(0).standard_normal((60, 8))
    features[30:, 0] += 20.0
    return features


@pytest.mark.parametrize("method", list(Embedding))
def test_kinds_stay_apart_and_a_seed_gives_one_layout(method: Embedding) -> None:
    features = two_kinds()

    layout = embed(features, method, seed=3)

    assert layout.shape == (60, 2)
    assert np.array_equal(layout, embed(features, method, seed=3))
    centers = layout[:30].mean(axis=0), layout[30:].mean(axis=0)
    distances = [np.linalg.norm(layout - center, axis=1) for center in centers]
    assert np.array_equal(np.argmin(distances, axis=0), np.repeat([0, 1], 30))


@pytest.mark.parametrize("method", list(Embedding))
def test_few_objects_are_laid_out_too(method: Embedding) -> None:
    assert embed(two_kinds()[27:33], method, seed=0).shape == (6, 2)


def test_too_few_objects_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 4"):
        embed(np.zeros((3, 2)), Embedding.UMAP, seed=0)

"""What a random forest makes of the image's own columns: the peer of the image CNN."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from al_service.features.preparation import COLUMNS_OF, IMAGE, prepare, presence
from al_service.survey.pool_view import PoolView

N_TREES: Final = 200

FOREST_TARGETS: Final = ("z", "sfr_median")
"""The others follow the median, and forests are slow."""

_READ_ROWS: Final = 256

Floats = NDArray[np.float64]


def forest_predictions(
    view: PoolView,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    *,
    seed: int,
) -> Floats:
    """Some targets of some objects, one forest for each.

    Args:
        view: of the pool.
        train: rows of the labeled objects; those without an image teach nothing.
        test: `N` rows of objects with an image.
        seed: of the forests.

    Returns:
        `N x T` in the targets' units, NaN for targets that no forest was grown for.
    """
    columns, has = _columns(view, train)
    wanted, _ = _columns(view, test)
    values = view.arrays.known_values[train]
    predicted = np.full((len(test), values.shape[1]), np.nan)
    for name in FOREST_TARGETS:
        target = view.arrays.targets.index(name)
        rows = has & np.isfinite(values[:, target])
        forest = RandomForestRegressor(
            N_TREES, min_samples_leaf=2, max_features=0.5, random_state=seed, n_jobs=1
        )
        forest.fit(columns[rows], values[rows, target])
        predicted[:, target] = forest.predict(wanted)
    return predicted


def _columns(
    view: PoolView, rows: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Apertures, 0 where there is no image, and where there is one."""
    parts, flags = [], []
    for start in range(0, len(rows), _READ_ROWS):
        inputs = view.of(rows[start : start + _READ_ROWS]).take(slice(None))
        parts.append(prepare(inputs, (IMAGE,))[COLUMNS_OF[IMAGE]])
        flags.append(presence(inputs, IMAGE))
    return np.nan_to_num(np.concatenate(parts)), np.concatenate(flags)

"""Classical regressions that also say how far off they may be.

Each predicts one target from columns without missing values: a mean, the variance owed
to the fit, and the variance of what the columns do not tell.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, RandomizedSearchCV

Floats = NDArray[np.float64]

SMALLEST_SPREAD: Final = 1e-6
"""Standard deviation in units of the labels' own below which it is rounding."""


@dataclass(frozen=True)
class Regressed:
    """What a regression says of `N` objects."""

    mean: Floats
    """`N`."""
    epistemic: Floats
    """`N` variances owed to the fit."""
    aleatoric: Floats
    """`N` variances of a label around the fit."""


@dataclass(frozen=True)
class Found:
    """The outcome of a search for settings."""

    settings: dict[str, Any]  # Any: what the estimator's parameters are
    trials: list[dict[str, Any]]
    """Every candidate with its cross-validated error, best or not."""


def search(
    estimator: BaseEstimator,
    grid: dict[str, list[Any]],  # Any: as above
    columns: Floats,
    values: Floats,
    group_ids: NDArray[np.str_],
    *,
    folds: int,
    candidates: int,
    seed: int,
) -> Found:
    """Cross-validate some settings of a grid; no galaxy is on both sides of a fold.

    Args:
        estimator: of scikit-learn.
        grid: parameter to the values to choose from.
        columns: `N x F`.
        values: `N` or `N x T`, on one scale.
        group_ids: `N` galaxies.
        folds: parts of the galaxies, at most as many as there are.
        candidates: how many combinations to try at most.
        seed: which combinations.
    """
    size = int(np.prod([len(choices) for choices in grid.values()]))
    searched = RandomizedSearchCV(
        estimator,
        grid,
        n_iter=min(candidates, size),
        scoring="neg_root_mean_squared_error",
        cv=GroupKFold(min(folds, len(np.unique(group_ids)))),
        random_state=seed % 2**32,
        refit=False,
    )
    searched.fit(columns, values, groups=group_ids)
    outcome = searched.cv_results_
    trials = [
        {
            "settings": settings,
            "error": -float(score),
            "error_deviation": float(deviation),
            "fit_seconds": float(seconds),
        }
        for settings, score, deviation, seconds in zip(
            outcome["params"],
            outcome["mean_test_score"],
            outcome["std_test_score"],
            outcome["mean_fit_time"],
            strict=True,
        )
    ]
    return Found(dict(searched.best_params_), trials)


@dataclass(frozen=True)
class LinearFit:
    """A ridge regression with the Gaussian posterior of its weights."""

    ridge: Ridge
    covariance: Floats
    """`F x F` of the weights, for columns of zero mean."""
    center: Floats
    """`F` means of the training columns."""
    noise: float
    """Variance of a label around the fit."""

    @classmethod
    def fit(cls, columns: Floats, values: Floats, *, alpha: float) -> "LinearFit":
        """Fit `N x F` columns to `N` values under a penalty."""
        ridge = Ridge(alpha=alpha).fit(columns, values)
        center = columns.mean(axis=0)
        centered = columns - center
        gram = centered.T @ centered
        gram[np.diag_indices_from(gram)] += alpha
        inverse = np.asarray(cho_solve(cho_factor(gram), np.eye(len(gram))))
        # Every label has pulled the fit towards itself by its leverage.
        leverage = np.einsum("nf,fg,ng->n", centered, inverse, centered)
        left_out = (values - ridge.predict(columns)) / (
            1.0 - np.minimum(leverage, 0.99)
        )
        noise = max(float(np.mean(left_out**2)), SMALLEST_SPREAD**2)
        return cls(ridge, noise * inverse, center, noise)

    def predict(self, columns: Floats) -> Regressed:
        """What the fit says of `N x F` columns."""
        centered = columns - self.center
        epistemic = np.einsum("nf,fg,ng->n", centered, self.covariance, centered)
        mean = np.asarray(self.ridge.predict(columns), dtype=np.float64)
        return Regressed(mean, epistemic, np.full(len(columns), self.noise))

    @property
    def n_parameters(self) -> int:
        """Weights, intercept and noise."""
        return len(self.center) + 2


ALPHAS: Final = [float(alpha) for alpha in np.logspace(-3, 4, 15)]
"""Penalties for columns of unit spread: from none to nothing but the mean."""

FOREST_GRID: Final[dict[str, list[Any]]] = {
    "min_samples_leaf": [2, 4, 8],
    "max_features": [0.2, 0.4, 0.8],
}
"""Smoothness of a tree, and how different trees are."""


@dataclass(frozen=True)
class ForestFit:
    """A random forest (Breiman 2001) with the law of total variance over its trees."""

    forest: RandomForestRegressor

    @classmethod
    def fit(
        cls,
        columns: Floats,
        values: Floats,
        *,
        trees: int,
        settings: dict[str, Any],  # Any: parameters of the forest
        seed: int,
    ) -> "ForestFit":
        """Grow trees on `N x F` columns and `N` values."""
        forest = RandomForestRegressor(
            trees, random_state=seed % 2**32, n_jobs=1, **settings
        )
        return cls(forest.fit(columns.astype(np.float32), values))

    def predict(self, columns: Floats) -> Regressed:
        """Mean over trees, variance between their means, mean variance in their leaves.

        Bootstrap copies make a leaf's variance too small; calibration evens that out.
        """
        narrow = columns.astype(np.float32)
        total, squared, within = (np.zeros(len(columns)) for _ in range(3))
        for tree in self.forest.estimators_:
            leaf = tree.tree_.apply(narrow)
            mean = tree.tree_.value[leaf, 0, 0]
            total += mean
            squared += mean**2
            within += tree.tree_.impurity[leaf]
        n = len(self.forest.estimators_)
        between = np.maximum(squared / n - (total / n) ** 2, 0.0)
        floor = SMALLEST_SPREAD**2
        return Regressed(total / n, between, np.maximum(within / n, floor))

    @property
    def n_parameters(self) -> int:
        """Nodes of all trees."""
        return int(sum(tree.tree_.node_count for tree in self.forest.estimators_))

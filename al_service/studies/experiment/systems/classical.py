"""Ridge regressions and random forests on measured columns."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge

from al_service.features.preparation import IMAGE, PHOTOMETRY, SPECTRUM
from al_service.models.classical import (
    ALPHAS,
    FOREST_GRID,
    SMALLEST_SPREAD,
    ForestFit,
    LinearFit,
    Regressed,
    search,
)
from al_service.posterior.predictions import Predictions
from al_service.randomness import derived_seed
from al_service.studies.experiment.columns import ColumnScale
from al_service.studies.experiment.measurements import Measurements
from al_service.studies.experiment.storing import (
    read_estimators,
    read_facts,
    write_estimators,
    write_facts,
)
from al_service.studies.experiment.system import (
    Examples,
    Family,
    Lesson,
    System,
    own_space,
)

SUBSETS: Final[dict[str, tuple[str, ...]]] = {
    "photometry": (PHOTOMETRY,),
    "image": (IMAGE,),
    "spectrum": (SPECTRUM,),
    "all": (PHOTOMETRY, IMAGE, SPECTRUM),
}
"""What a classical model may look at."""

_SEARCH_TREES: Final = 40
"""Of a forest in the search: enough to tell good settings from bad ones."""

_PARTS: Final = {LinearFit: "linear", ForestFit: "forest"}


@dataclass(frozen=True)
class FittedColumns:
    """One regression per target, for labels of zero mean and unit spread."""

    targets: tuple[str, ...]
    scale: ColumnScale
    center: tuple[float, ...]
    """`T` means of the labels in own space."""
    spread: tuple[float, ...]
    """`T` standard deviations."""
    fits: tuple[LinearFit | ForestFit, ...]
    """`T`."""
    trials: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON

    @property
    def n_parameters(self) -> int:
        """Of all targets together."""
        return sum(fit.n_parameters for fit in self.fits)

    def predict(self, measurements: Measurements) -> Predictions:
        """Predict from scaled columns; what is missing is the mean."""
        columns = self.scale.transform(measurements)
        said: list[Regressed] = [fit.predict(columns) for fit in self.fits]
        spread = np.array(self.spread)
        mean = np.stack([one.mean for one in said], axis=1)
        epistemic = np.stack([one.epistemic for one in said], axis=1)
        aleatoric = np.stack([one.aleatoric for one in said], axis=1)
        return Predictions(
            self.targets,
            measurements.patterns(self.scale.inputs),
            mean * spread + np.array(self.center),
            np.sqrt(epistemic) * spread,
            np.sqrt(aleatoric) * spread,
        )

    def features(self, _measurements: Measurements) -> NDArray[np.float32] | None:
        """None: the columns were measured, not learned."""
        return None

    def save(self, folder: Path) -> None:
        """Write regressions, scales and trials."""
        write_facts(
            folder,
            {
                "targets": self.targets,
                "inputs": self.scale.inputs,
                "center": self.center,
                "spread": self.spread,
                "kinds": [_PARTS[type(fit)] for fit in self.fits],
                "trials": self.trials,
            },
        )
        write_estimators(
            folder,
            {"scale": self.scale.arrays(), "fits": [vars(fit) for fit in self.fits]},
        )

    @classmethod
    def load(cls, folder: Path) -> "FittedColumns":
        """What `save` wrote."""
        facts, parts = read_facts(folder), read_estimators(folder)
        kinds = {name: kind for kind, name in _PARTS.items()}
        return cls(
            tuple(facts["targets"]),
            ColumnScale.from_arrays(tuple(facts["inputs"]), parts["scale"]),
            tuple(facts["center"]),
            tuple(facts["spread"]),
            tuple(
                kinds[kind](**part)
                for kind, part in zip(facts["kinds"], parts["fits"], strict=True)
            ),
            facts["trials"],
        )


@dataclass(frozen=True)
class _Prepared:
    """Training objects as columns and labels of zero mean and unit spread."""

    scale: ColumnScale
    columns: NDArray[np.float64]
    values: NDArray[np.float64]
    center: NDArray[np.float64]
    spread: NDArray[np.float64]
    group_ids: NDArray[np.str_]

    @classmethod
    def of(
        cls, examples: Examples, targets: tuple[str, ...], inputs: tuple[str, ...]
    ) -> "_Prepared":
        seen = examples.having(inputs)
        scale = ColumnScale.fit(seen.measurements, inputs)
        own = own_space(targets, seen.values)
        center = np.nanmean(own, axis=0)
        spread = np.maximum(np.nanstd(own, axis=0), SMALLEST_SPREAD)
        return cls(
            scale,
            scale.transform(seen.measurements),
            (own - center) / spread,
            center,
            spread,
            seen.group_ids,
        )

    def known(self, target: int) -> NDArray[np.int64]:
        """Rows whose label of one target is known."""
        return np.flatnonzero(np.isfinite(self.values[:, target]))

    def widely_known(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rows that know all targets, and their labels.

        Where they are fewer than a third of those that know the best known target
        (rates and redshifts of different objects), the rows and labels of that one.
        """
        finite = np.isfinite(self.values)
        whole = np.flatnonzero(finite.all(axis=1))
        best = int(np.argmax(finite.sum(axis=0)))
        rows = self.known(best)
        if 3 * len(whole) >= len(rows):
            return whole, self.values[whole]
        return rows, self.values[rows, best : best + 1]

    def fitted(
        self,
        targets: tuple[str, ...],
        fits: list[LinearFit | ForestFit],
        trials: list[dict[str, Any]],  # Any: JSON
    ) -> FittedColumns:
        return FittedColumns(
            targets,
            self.scale,
            tuple(self.center.tolist()),
            tuple(self.spread.tolist()),
            tuple(fits),
            trials,
        )


@dataclass(frozen=True)
class Linear:
    """Ridge regression; the penalty of every target by cross-validation."""

    name: str
    inputs: tuple[str, ...]
    family: Family = Family.CLASSICAL

    def fit(self, lesson: Lesson) -> FittedColumns:
        """Search a penalty for every target and fit it."""
        part = _Prepared.of(lesson.training, lesson.targets, self.inputs)
        fits: list[LinearFit | ForestFit] = []
        trials: list[dict[str, Any]] = []  # Any: JSON
        for number, target in enumerate(lesson.targets):
            rows = part.known(number)
            columns, values = part.columns[rows], part.values[rows, number]
            found = search(
                Ridge(),
                {"alpha": ALPHAS},
                columns,
                values,
                part.group_ids[rows],
                folds=lesson.effort.folds,
                candidates=len(ALPHAS),
                seed=lesson.seed,
            )
            fits.append(LinearFit.fit(columns, values, **found.settings))
            trials += [{"target": target, **trial} for trial in found.trials]
        return part.fitted(lesson.targets, fits, trials)

    def load(self, folder: Path) -> FittedColumns:
        """What `save` wrote."""
        return FittedColumns.load(folder)


@dataclass(frozen=True)
class RandomForest:
    """A forest per target; one search for all of them."""

    name: str
    inputs: tuple[str, ...]
    family: Family = Family.CLASSICAL

    def fit(self, lesson: Lesson) -> FittedColumns:
        """Search the settings and grow the forests."""
        part = _Prepared.of(lesson.training, lesson.targets, self.inputs)
        rows, values = part.widely_known()
        found = search(
            RandomForestRegressor(_SEARCH_TREES, random_state=0, n_jobs=1),
            FOREST_GRID,
            part.columns[rows],
            values[:, 0] if values.shape[1] == 1 else values,
            part.group_ids[rows],
            folds=lesson.effort.folds,
            candidates=lesson.effort.candidates,
            seed=lesson.seed,
        )
        fits: list[LinearFit | ForestFit] = []
        for number, target in enumerate(lesson.targets):
            rows = part.known(number)
            fits.append(
                ForestFit.fit(
                    part.columns[rows],
                    part.values[rows, number],
                    trees=lesson.effort.trees,
                    settings=found.settings,
                    seed=derived_seed(lesson.seed, "forest", target),
                )
            )
        return part.fitted(lesson.targets, fits, found.trials)

    def load(self, folder: Path) -> FittedColumns:
        """What `save` wrote."""
        return FittedColumns.load(folder)


FOREST_PHOTOMETRY: Final = RandomForest("random_forest_photometry", (PHOTOMETRY,))

SYSTEMS: tuple[System, ...] = (
    *(Linear(f"linear_{name}", inputs) for name, inputs in SUBSETS.items()),
    FOREST_PHOTOMETRY,
    *(
        RandomForest(f"random_forest_{name}", inputs)
        for name, inputs in SUBSETS.items()
        if inputs != FOREST_PHOTOMETRY.inputs
    ),
)

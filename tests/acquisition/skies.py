"""Small skies for tests of acquisition: features, names, galaxies, keys."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.information import Aims, Knowledge
from al_service.acquisition.ranking import Ranking
from al_service.acquisition.strategies import Strategy, StrategyConfig, rank


@dataclass(frozen=True)
class SmallSky:
    features: NDArray[np.float32]
    centers: NDArray[np.float32]
    score: NDArray[np.float64]
    object_ids: NDArray[np.str_]
    group_ids: NDArray[np.str_]
    random_keys: NDArray[np.int64]

    def rank(
        self,
        name: Strategy,
        *,
        size: int,
        blocked: frozenset[str] = frozenset(),
        strata: NDArray[np.int64] | None = None,
        held: NDArray[np.bool_] | None = None,
        **settings: Any,  # Any: fields of the configuration
    ) -> Ranking:
        return rank(
            StrategyConfig(name=name, **settings),
            features=self.features,
            score=self.score,
            object_ids=self.object_ids,
            group_ids=self.group_ids,
            center_features=self.centers,
            blocked_groups=set(blocked),
            random_keys=self.random_keys,
            size=size,
            seed=7,
            knowledge=self.knowledge,
            strata=strata,
            held=held,
        )

    @property
    def knowledge(self) -> Knowledge:
        """Every label is as good as another one; the sky itself will be asked about."""
        count = len(self.features)
        aims = self.features if count else self.centers
        return Knowledge(
            precision=np.full(count, 2.0),
            center_precision=np.full(len(self.centers), 2.0),
            prior=1.0,
            aims=Aims(aims, np.full(len(aims), 2.0), np.ones(len(aims))),
        )


def small_sky(
    *,
    n_objects: int = 400,
    n_centers: int = 20,
    dim: int = 8,
    seed: int = 1,
    decay: float = 0.8,
) -> SmallSky:
    generator = np.random.default_rng(seed)
    scale = np.arange(1, dim + 1) ** -decay
    names = np.array([f"SDSS J{number:06d}" for number in range(n_objects)])
    return SmallSky(
        features=(generator.standard_normal((n_objects, dim)) * scale).astype(
            np.float32
        ),
        centers=(generator.standard_normal((n_centers, dim)) * scale).astype(
            np.float32
        ),
        score=generator.random(n_objects),
        object_ids=generator.permutation(names),
        group_ids=np.array([f"galaxy {number}" for number in range(n_objects)]),
        random_keys=generator.integers(-(2**62), 2**62, size=n_objects),
    )

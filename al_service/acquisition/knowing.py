"""From the last layer to what the strategies need to know of it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from al_service.acquisition.config import StrategyConfig
from al_service.acquisition.information import (
    Aims,
    Knowledge,
    label_precision,
    target_weights,
)
from al_service.acquisition.interest import interest_weights
from al_service.models.samples import evenly
from al_service.posterior.features import Features
from al_service.posterior.head import Head
from al_service.survey.targets import Target

AIM_SAMPLE: Final = 10_000
"""Pool objects that stand for what will be asked: forty times the features' width, and
their second moment is known to a per cent."""


def aim_rows(pool_rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of objects that stand for what will be asked; none of them examines.

    Args:
        pool_rows: rows of all objects that may be or were asked for, ascending.
    """
    return evenly(pool_rows, AIM_SAMPLE)


def weights_of(head: Head, strategy: StrategyConfig) -> NDArray[np.float64]:
    """`T` weights of the targets with mean 1."""
    declared = {target.value: one for target, one in strategy.target_weights.items()}
    return target_weights(head.targets, declared)


def precision_of(
    features: Features, head: Head, strategy: StrategyConfig, *, asked: bool = False
) -> NDArray[np.float64]:
    """How much a label of each object says of the weights.

    Where a scan is believed it speaks for z. A label of such an object teaches what its
    other measurements say of z, but the answer for it hangs on no weight.

    Args:
        features: `N` objects.
        head: the last layer.
        strategy: with the weights of targets.
        asked: of objects that the model is asked about, not of those that are labeled.

    Returns:
        `N` precisions.
    """
    features = head.believing(features) if asked else features
    noise, settled = features.noise, None
    if features.scan is not None and Target.Z in head.targets:
        column = head.targets.index(Target.Z)
        scanned = np.isfinite(features.scan[:, 0])
        if asked:
            settled = np.zeros(noise.shape, dtype=np.bool_)
            settled[:, column] = scanned
        elif features.blind_noise is not None:
            noise = noise.copy()
            noise[scanned, column] = features.blind_noise[scanned, column]
    return label_precision(
        noise, head.spread, weights_of(head, strategy), settled=settled
    )


def knowledge_of(
    head: Head,
    strategy: StrategyConfig,
    *,
    precision: NDArray[np.float64],
    centers: Features,
    aims: Features,
) -> Knowledge:
    """What strategies need that look at the posterior.

    Args:
        head: the last layer.
        strategy: with the interest and the weights of targets.
        precision: `N` precisions of the candidates' labels.
        centers: `M` labeled and pending objects.
        aims: `K` objects that stand for what will be asked.
    """
    weights = weights_of(head, strategy)
    predictions = head.predict(aims)
    return Knowledge(
        precision=precision,
        center_precision=precision_of(centers, head, strategy),
        prior=float(np.mean(head.precision[0] * weights)),
        aims=Aims(
            aims.phi,
            precision_of(aims, head, strategy, asked=True),
            interest_weights(
                head.targets,
                predictions.mean,
                np.hypot(predictions.epistemic, predictions.aleatoric),
                strategy.interest,
            ),
        ),
    )

"""The error on the pool that the learning curve shows: from every label that came back.

The evaluation sample tells it too, for the price of labels that train nothing. Here the
labels that were told anyway speak, each with the probability with which its object was
handed out (`evaluation/population.py`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from al_service.evaluation.population import HandOuts, population_loss
from al_service.evaluation.report import (
    expected_squared_error,
    ratio_metric,
    squared_error,
)
from db.base import JsonObject
from db.repositories import handed_out
from db.repositories.handed_out import HandedOut
from db.tables import Campaign
from db.vocabulary import Reason

MOST_HAND_OUTS: Final = 4000
"""Hand-outs looked back on: some hundred random draws at the usual random share. More
would speak of models that are long gone, and cost the reader of a curve his time."""


@dataclass(frozen=True)
class PopulationError:
    """The error of the models that served while some orders were walked."""

    metric: str
    value: float
    low: float
    high: float
    n_draws: int
    """Random draws with an answer: each stands for all objects that were free."""
    n_labels: int
    """Answers of all kinds, the strategy's among them."""
    first_run_id: int
    """The first of the runs whose predictions are judged."""
    last_run_id: int
    """The last of them."""


def population_errors(
    session: Session, campaign: Campaign
) -> dict[str, PopulationError | None]:
    """Target to the error on the pool, with 95 % intervals.

    Args:
        session: reads in its transaction.
        campaign: whose models.

    Returns:
        None for targets of which too few random draws have come back.
    """
    found = handed_out.latest(session, campaign.id, limit=MOST_HAND_OUTS)
    items = _in_order(_whole_orders(found))
    runs = sorted({item.run_id for item in items})
    expected = handed_out.expectations(session, runs)
    return {
        str(target): _of_target(str(target), items, expected)
        for target in campaign.targets
    }


def _whole_orders(found: Sequence[HandedOut]) -> list[HandedOut]:
    """Without the oldest order where its beginning was not read."""
    if len(found) < MOST_HAND_OUTS:
        return list(found)
    return [item for item in found if item.run_id != found[-1].run_id]


def _in_order(found: Sequence[HandedOut]) -> list[HandedOut]:
    """Each object once, in the order of the draws.

    A batch locks its random objects before all others. An object that came back
    without an answer has a small key still: only its first draw was one.
    """
    ordered = sorted(found, key=lambda item: (item.lease_id, *_place(item)))
    once: dict[int, HandedOut] = {}
    for item in ordered:
        before = once.get(item.candidate_id)
        if before is None or before.reason != Reason.RANDOM:
            once.pop(item.candidate_id, None)
            once[item.candidate_id] = item
    return list(once.values())


def _place(item: HandedOut) -> tuple[bool, int]:
    return item.reason != Reason.RANDOM, item.position


def _of_target(
    target: str, items: Sequence[HandedOut], expected: Mapping[int, JsonObject]
) -> PopulationError | None:
    means = {
        run_id: (int(facts["n_free"]), float(facts["squared_error"][target]))
        for run_id, facts in expected.items()
        if target in facts["squared_error"]
    }
    some = [item for item in items if item.run_id in means]
    if not some:
        return None
    number = {run_id: place for place, run_id in enumerate(sorted(means))}
    losses = np.array([_losses(target, item) for item in some])  # M x 2
    found = population_loss(
        HandOuts(
            loss=losses[:, 0],
            expected=losses[:, 1],
            drawn=np.array([item.reason == Reason.RANDOM for item in some]),
            order=np.array([number[item.run_id] for item in some]),
            n_free=np.array([means[run_id][0] for run_id in sorted(means)]),
            mean_expected=np.array([means[run_id][1] for run_id in sorted(means)]),
        )
    )
    if found is None:
        return None
    loss = found.loss
    return PopulationError(
        metric=ratio_metric(target),
        value=math.sqrt(loss.estimate),
        low=math.sqrt(loss.low),
        high=math.sqrt(loss.high),
        n_draws=found.n_draws,
        n_labels=found.n_labels,
        first_run_id=some[0].run_id,
        last_run_id=some[-1].run_id,
    )


def _losses(target: str, item: HandedOut) -> tuple[float, float]:
    """Squared error of one prediction and what it was expected to be; NaN: unknown."""
    said = (item.prediction or {}).get(target)
    if said is None:
        return math.nan, math.nan
    deviation = math.hypot(said["epistemic"], said["aleatoric"])
    expected = expected_squared_error(target, said["mean"], deviation)
    truth = (item.values or {}).get(target)
    if truth is None:
        return math.nan, float(expected)
    return float(squared_error(target, truth, said["mean"])), float(expected)


def population_sentences(
    found: Mapping[str, PopulationError | None],
) -> list[str]:
    """The errors on the pool in words; nothing where nobody can tell yet."""
    return [
        f"{target}: {one.metric} on the whole pool {one.value:.4f} "
        f"[{one.low:.4f}, {one.high:.4f}], from {one.n_draws} random draws "
        f"and {one.n_labels} labels"
        for target, one in found.items()
        if one is not None
    ]

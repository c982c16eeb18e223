"""What learning curves say: labels needed, error ratios, and how sure that is.

A ratio compares a strategy with random on curves with identical initial sets, one
pair per seed. Point estimates come from the seed-mean log-error curve; intervals from
a bootstrap over seeds.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from al_service.errors import InvalidInput
from al_service.evaluation.bootstrap import Interval

_DRAWS = 2000
"""Resamples of seeds."""


def labels_to_reach(
    n_labels: NDArray[np.integer], log_error: NDArray[np.float64], goal: float
) -> float:
    """Where a curve first reaches an error, log-interpolated.

    The curve is taken as it is, without a running minimum.

    Args:
        n_labels: `K` growing numbers of labels.
        log_error: `K` natural logarithms of the error.
        goal: logarithm of the error to reach.

    Returns:
        A number of labels, infinite where the curve never gets there.
    """
    reached = np.flatnonzero(log_error <= goal)
    if len(reached) == 0:
        return math.inf
    index = int(reached[0])
    if index == 0:
        return float(n_labels[0])
    above, below = log_error[index - 1], log_error[index]
    share = (above - goal) / (above - below)
    first, last = math.log(n_labels[index - 1]), math.log(n_labels[index])
    return math.exp(first + share * (last - first))


def label_ratio(
    n_labels: NDArray[np.integer],
    errors: NDArray[np.float64],
    random_errors: NDArray[np.float64],
) -> float:
    """Labels needed to reach random's final error, over the labels random used.

    Args:
        n_labels: `K` numbers of labels, the same for both arms.
        errors: `S x K` errors of the strategy, one curve per seed.
        random_errors: `S x K` errors of random.

    Returns:
        A ratio, less is better; infinite (more than 1) where it is not reached.
    """
    _check(n_labels, errors, random_errors)
    goal = float(np.log(random_errors[:, -1]).mean())
    needed = labels_to_reach(n_labels, np.log(errors).mean(axis=0), goal)
    return needed / float(n_labels[-1])


def error_ratio(
    n_labels: NDArray[np.integer],
    errors: NDArray[np.float64],
    random_errors: NDArray[np.float64],
) -> float:
    """Geometric mean of the error ratio over the rounds after the initial one.

    Args:
        n_labels: `K` numbers of labels, the same for both arms.
        errors: `S x K` errors of the strategy, one curve per seed.
        random_errors: `S x K` errors of random.

    Returns:
        A ratio, less is better.
    """
    _check(n_labels, errors, random_errors)
    return float(np.exp(np.log(errors[:, 1:] / random_errors[:, 1:]).mean()))


def round_ratios(
    errors: NDArray[np.float64], random_errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`K` ratios of the seed means, one per round: "at every round" means of these."""
    ratios: NDArray[np.float64] = errors.mean(axis=0) / random_errors.mean(axis=0)
    return ratios


def worst_round(
    n_labels: NDArray[np.integer],
    errors: NDArray[np.float64],
    random_errors: NDArray[np.float64],
) -> float:
    """The largest ratio of the seed means after the initial round: the regret.

    Args:
        n_labels: `K` numbers of labels, the same for both arms.
        errors: `S x K` errors of the strategy, one curve per seed.
        random_errors: `S x K` errors of random.
    """
    _check(n_labels, errors, random_errors)
    return float(round_ratios(errors, random_errors)[1:].max())


def win_rate(
    n_labels: NDArray[np.integer],
    errors: NDArray[np.float64],
    random_errors: NDArray[np.float64],
) -> float:
    """Share of seeds and later rounds in which the error is below random's.

    Args:
        n_labels: `K` numbers of labels, the same for both arms.
        errors: `S x K` errors of the strategy, one curve per seed.
        random_errors: `S x K` errors of random.
    """
    _check(n_labels, errors, random_errors)
    return float((errors[:, 1:] < random_errors[:, 1:]).mean())


def area_ratio(
    n_labels: NDArray[np.integer],
    errors: NDArray[np.float64],
    random_errors: NDArray[np.float64],
) -> float:
    """The error ratio with every doubling of the labels counting alike.

    Args:
        n_labels: `K` numbers of labels, the same for both arms.
        errors: `S x K` errors of the strategy, one curve per seed.
        random_errors: `S x K` errors of random.

    Returns:
        exp of the mean over log labels of the difference between the log-error curves:
        the area between them.
    """
    _check(n_labels, errors, random_errors)
    difference = np.log(errors / random_errors).mean(axis=0)
    steps = np.log(n_labels)
    area = np.trapezoid(difference, steps) / (steps[-1] - steps[0])
    return float(np.exp(area))


def with_seed_interval(
    ratio: Callable[
        [NDArray[np.integer], NDArray[np.float64], NDArray[np.float64]], float
    ],
    n_labels: NDArray[np.integer],
    errors: NDArray[np.float64],
    random_errors: NDArray[np.float64],
    *,
    seed: int,
) -> Interval:
    """A ratio with its 95 % interval by bootstrap over seeds, drawn in pairs.

    Args:
        ratio: `label_ratio` or `error_ratio`.
        n_labels: `K` numbers of labels.
        errors: `S x K` errors of the strategy.
        random_errors: `S x K` errors of random, same seeds.
        seed: of the bootstrap.

    Returns:
        The point estimate on all seeds; an end is infinite where the error is not
        reached, and an interval of one seed is that seed.
    """
    count = len(errors)
    generator = np.random.default_rng(seed)
    drawn = np.sort(generator.integers(count, size=(_DRAWS, count)), axis=1)
    # Few seeds have few different resamples: four have 35.
    different, which = np.unique(drawn, axis=0, return_inverse=True)
    ratios = np.array(
        [ratio(n_labels, errors[rows], random_errors[rows]) for rows in different]
    )
    low, high = np.quantile(ratios[which], [0.025, 0.975], method="inverted_cdf")
    estimate = ratio(n_labels, errors, random_errors)
    return Interval(estimate, float(low), float(high))


def labels_saved(
    n_labels: NDArray[np.integer],
    errors: NDArray[np.float64],
    random_errors: NDArray[np.float64],
) -> float | None:
    """Labels that random would have needed in addition: null where not reached.

    Args:
        n_labels: `K` numbers of labels, the same for both arms.
        errors: `S x K` errors of the strategy.
        random_errors: `S x K` errors of random.

    Returns:
        Random's labels minus those the strategy needs for the same error.
    """
    ratio = label_ratio(n_labels, errors, random_errors)
    if math.isinf(ratio):
        return None
    return (1.0 - ratio) * float(n_labels[-1])


def _check(
    n_labels: NDArray[np.integer],
    errors: NDArray[np.float64],
    random_errors: NDArray[np.float64],
) -> None:
    if errors.shape != random_errors.shape or errors.shape[1:] != (len(n_labels),):
        raise InvalidInput(
            f"expected S x {len(n_labels)} errors of both arms, got shapes "
            f"{errors.shape} and {random_errors.shape}"
        )
    if errors.shape[1] < 2 or np.any(np.diff(n_labels) <= 0):
        raise InvalidInput(
            "expected at least two points with growing numbers of labels"
        )
    if not (np.all(errors > 0) and np.all(random_errors > 0)):
        raise InvalidInput("expected positive errors, got one that is not")

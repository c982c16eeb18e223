from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from al_service.acquisition.strategies import Strategy, StrategyConfig, rank
from al_service.errors import InvalidInput
from tests.acquisition.skies import SmallSky, small_sky

EVERY_STRATEGY = pytest.mark.parametrize("name", list(Strategy))


@EVERY_STRATEGY
def test_every_prefix_of_a_ranking_is_the_shorter_ranking(name: Strategy) -> None:
    sky = small_sky()

    whole = sky.rank(name, size=200).order.tolist()

    for size in (1, 33, 199):
        assert sky.rank(name, size=size).order.tolist() == whole[:size]


@EVERY_STRATEGY
def test_the_same_arguments_give_the_same_ranking_bit_for_bit(name: Strategy) -> None:
    sky = small_sky(n_objects=2000, dim=64)

    first, second = sky.rank(name, size=300), sky.rank(name, size=300)

    assert first.order.tobytes() == second.order.tobytes()
    assert first.score.tobytes() == second.score.tobytes()
    assert first.reason == second.reason == name.value


@EVERY_STRATEGY
def test_nothing_is_ranked_twice_and_nothing_blocked_is_ranked(name: Strategy) -> None:
    sky = small_sky()
    blocked = frozenset(sky.group_ids[:100].tolist())

    order = sky.rank(name, size=1000, blocked=blocked).order.tolist()

    assert sorted(order) == list(range(100, 400))


@EVERY_STRATEGY
def test_a_galaxy_observed_twice_is_ranked_once(name: Strategy) -> None:
    sky = small_sky()
    pairs = SmallSky(
        features=sky.features,
        centers=sky.centers,
        score=sky.score,
        object_ids=sky.object_ids,
        group_ids=np.array([f"galaxy {row // 2}" for row in range(400)]),
        random_keys=sky.random_keys,
    )

    order = pairs.rank(name, size=400).order

    galaxies = pairs.group_ids[order].tolist()
    assert len(galaxies) == len(set(galaxies)) == 200


@EVERY_STRATEGY
def test_the_scores_are_those_of_the_ranked_objects(name: Strategy) -> None:
    sky = small_sky()

    ranking = sky.rank(name, size=50)

    assert ranking.score.tolist() == sky.score[ranking.order].tolist()


@EVERY_STRATEGY
def test_an_empty_pool_gives_an_empty_ranking(name: Strategy) -> None:
    assert len(small_sky(n_objects=0).rank(name, size=10).order) == 0


def test_random_follows_the_random_keys() -> None:
    sky = small_sky()

    order = sky.rank(Strategy.RANDOM, size=400).order

    assert order.tolist() == np.argsort(sky.random_keys).tolist()


def test_top_variance_asks_the_most_uncertain_first() -> None:
    sky = small_sky()

    order = sky.rank(Strategy.TOP_VARIANCE, size=400).order

    assert order.tolist() == np.argsort(-sky.score).tolist()


def test_after_the_greedy_places_come_the_most_uncertain_of_the_rest() -> None:
    sky = small_sky()

    order = sky.rank(Strategy.LCMD, size=400, greedy=50).order.tolist()

    assert order[:50] == sky.rank(Strategy.LCMD, size=50).order.tolist()
    rest = np.setdiff1d(np.arange(400), order[:50])
    assert order[50:] == rest[np.argsort(-sky.score[rest])].tolist()


def test_candidates_that_coincide_with_labels_come_last_and_are_not_lost() -> None:
    sky = small_sky()
    sky.features[::2] = sky.centers[0]

    order = sky.rank(Strategy.LCMD, size=400).order.tolist()

    assert all(row % 2 == 1 for row in order[:200])
    assert sorted(order) == list(range(400))


def test_a_pool_beyond_the_greedy_limit_is_represented_by_a_sample() -> None:
    sky = small_sky()

    order = sky.rank(Strategy.LCMD, size=400, greedy=20, greedy_pool=100).order

    assert sorted(order.tolist()) == list(range(400))
    again = sky.rank(Strategy.LCMD, size=400, greedy=20, greedy_pool=100).order
    assert order.tolist() == again.tolist()


def test_without_any_center_the_pool_itself_is_the_first_cluster() -> None:
    sky = small_sky(n_centers=0)

    first = sky.rank(Strategy.LCMD, size=1).order[0]

    offset = sky.features - sky.features.mean(axis=0)
    assert first == np.argmax((offset**2).sum(axis=1))


def test_an_unknown_field_of_a_configuration_is_refused() -> None:
    with pytest.raises(ValidationError, match="density_alfa"):
        StrategyConfig.model_validate({"name": "lcmd", "density_alfa": 1.0})


@pytest.mark.parametrize("field", ["isolation", "power", "density_alpha"])
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_number_that_json_does_not_know_is_refused(field: str, value: float) -> None:
    """An infinite isolation was stored as null, and read by no run."""
    with pytest.raises(ValidationError, match=field):
        StrategyConfig.model_validate({"name": "lcmd", field: value})


def test_controls_train_without_density_weights() -> None:
    assert StrategyConfig(name=Strategy.RANDOM).weights_alpha == 0.0
    assert StrategyConfig(name=Strategy.TOP_VARIANCE).weights_alpha == 0.0
    assert StrategyConfig(name=Strategy.LCMD, density_alpha=0.25).weights_alpha == 0.25


def test_features_of_other_objects_are_refused() -> None:
    sky = small_sky()
    short = SmallSky(
        features=sky.features[:-1],
        centers=sky.centers,
        score=sky.score,
        object_ids=sky.object_ids,
        group_ids=sky.group_ids,
        random_keys=sky.random_keys,
    )

    with pytest.raises(InvalidInput, match="for 400 candidates, got 399 and 400"):
        short.rank(Strategy.LCMD, size=1)


@EVERY_STRATEGY
def test_candidates_among_other_objects_rank_as_if_alone(name: Strategy) -> None:
    """Features of a million candidates are not copied to leave out a few others."""
    sky = small_sky()
    rows = np.arange(5, 405)
    wide = np.full((500, 8), 1e6, dtype=np.float32)
    wide[rows] = sky.features

    alone = sky.rank(name, size=300)
    among = rank(
        StrategyConfig(name=name),
        features=wide,
        feature_rows=rows,
        score=sky.score,
        object_ids=sky.object_ids,
        group_ids=sky.group_ids,
        center_features=sky.centers,
        blocked_groups=set(),
        random_keys=sky.random_keys,
        size=300,
        seed=7,
        knowledge=sky.knowledge,
    )

    assert among.order.tolist() == alone.order.tolist()


def test_the_scale_decides_which_directions_are_far() -> None:
    features = np.array([[3.0, 0.0], [0.0, 2.0]], dtype=np.float32)
    given: dict[str, Any] = {  # Any: arguments of several types
        "features": features,
        "score": np.zeros(2),
        "object_ids": np.array(["a", "b"]),
        "group_ids": np.array(["a", "b"]),
        "center_features": np.zeros((1, 2)),
        "blocked_groups": set(),
        "random_keys": np.arange(2),
        "size": 1,
        "seed": 0,
    }

    plain = rank(StrategyConfig(), **given)
    scaled = rank(StrategyConfig(), feature_scale=np.array([0.5, 1.0]), **given)

    assert plain.order.tolist() == [0]
    assert scaled.order.tolist() == [1]
    assert features.tolist() == [[3.0, 0.0], [0.0, 2.0]], "the caller's are left alone"

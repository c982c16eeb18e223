import numpy as np
import pytest

from al_service.acquisition.config import StrategyConfig
from al_service.acquisition.interest import Interest
from al_service.acquisition.knowing import aim_rows, knowledge_of, precision_of
from al_service.posterior.features import Features
from al_service.posterior.head import Head

DIM = 3


def head() -> Head:
    factor = np.broadcast_to(np.eye(DIM + 1), (1, 2, DIM + 1, DIM + 1)).copy()
    return Head(
        targets=("z", "sfr_avg"),
        center=np.array([0.1, 0.0]),
        spread=np.array([0.1, 1.0]),
        precision=np.array([[10.0, 30.0]]),
        mean=np.zeros((1, 2, DIM + 1)),
        factor=factor,
        n_labels=np.array([5, 5]),
    )


def features(*, scanned: bool) -> Features:
    """Two objects; a spectrum of the first one may have been scanned."""
    noise = np.array([[0.005, 0.5], [0.01, 0.25]], dtype=np.float32)
    plain = np.eye(2, DIM, dtype=np.float32)
    patterns = np.ones(2, dtype=np.int64)
    if not scanned:
        return Features(plain, noise, patterns)
    scan = np.array([[0.1, 1e-8, 0.99], [np.nan] * 3], dtype=np.float32)
    return Features(plain, noise, patterns, scan, plain, 2.0 * noise)


def test_a_label_says_the_mean_of_what_it_says_of_the_targets() -> None:
    """z: 0.01/0.005 = 2 and 1; the rate: 1/0.5 = 2 and 4."""
    found = precision_of(features(scanned=False), head(), StrategyConfig())

    assert found == pytest.approx([2.0, 2.5], rel=1e-6)


def test_weights_of_targets_move_the_mean() -> None:
    strategy = StrategyConfig(target_weights={"sfr_avg": 0.0})

    found = precision_of(features(scanned=False), head(), strategy)

    assert found == pytest.approx([2.0, 1.0], rel=1e-6)


def test_a_scanned_redshift_teaches_what_the_rest_says_and_asks_nothing() -> None:
    taught = precision_of(features(scanned=True), head(), StrategyConfig())
    asked = precision_of(features(scanned=True), head(), StrategyConfig(), asked=True)

    assert taught == pytest.approx([1.5, 2.5], rel=1e-6)
    assert asked == pytest.approx([1.0, 2.5], rel=1e-6)


def test_what_is_known_holds_prior_and_interest() -> None:
    declared = Interest(target="z", low=0.0, weight=3.0)
    some = features(scanned=False)

    found = knowledge_of(
        head(),
        StrategyConfig(name="epig", interest=(declared,)),
        precision=np.ones(2),
        centers=some,
        aims=some,
    )

    assert found.prior == pytest.approx(20.0)
    assert len(found.aims.weights) == 2
    assert (found.aims.weights > 1.0).all()
    assert (found.aims.weights < 3.0).all()


def test_few_objects_stand_for_many() -> None:
    assert aim_rows(np.arange(50)).tolist() == list(range(50))
    assert len(aim_rows(np.arange(1_000_000))) == 10_000

from datetime import UTC, datetime

import pytest

from al_service.rounds.comparing import savings
from al_service.rounds.curve_drawing import saving_sentence
from db.repositories.progress import StoredPoint
from db.vocabulary import Arm, RunKind


def point(run_id: int, arm: Arm, n_labels: int, value: float) -> StoredPoint:
    return StoredPoint(
        run_id=run_id,
        kind=RunKind.FULL,
        finished_at=datetime(2026, 11, 22, tzinfo=UTC),
        label_digest="0" * 64,
        arm=arm,
        target="z",
        metric="rmse_norm",
        n_labels=n_labels,
        n_evaluation=60,
        value=value,
        low=None,
        high=None,
    )


def control(
    run_id: int, n_labels: int, *, active: float, random: float
) -> list[StoredPoint]:
    return [
        point(run_id, Arm.ACTIVE, 2 * n_labels, 0.9 * active),
        point(run_id, Arm.ACTIVE_MATCHED, n_labels, active),
        point(run_id, Arm.RANDOM, n_labels, random),
    ]


FIRST = point(1, Arm.ACTIVE, 20, 0.10)
"""The first network: it knows what both arms begin with."""


def test_the_first_pair_of_control_points_counts() -> None:
    """It was taken for the initial round and dropped, with its labels of either arm."""
    saving = savings([FIRST, *control(2, 40, active=0.06, random=0.08)])["z"]

    assert saving is not None
    assert saving.error_ratio == pytest.approx(0.06 / 0.08)
    assert saving.label_ratio is not None
    assert 0.5 < saving.label_ratio < 1


def test_every_pair_after_the_common_point_counts_the_same() -> None:
    pairs = [
        *control(2, 40, active=0.06, random=0.08),
        *control(3, 80, active=0.03, random=0.05),
    ]

    saving = savings([FIRST, *pairs])["z"]

    assert saving is not None
    assert saving.error_ratio == pytest.approx((0.06 / 0.08 * 0.03 / 0.05) ** 0.5)
    assert saving.n_labels == 80


def test_the_common_point_alone_says_nothing() -> None:
    assert savings([FIRST]) == {"z": None}


def test_an_interval_belongs_to_the_labels_it_was_computed_with() -> None:
    pairs = [FIRST, *control(2, 40, active=0.06, random=0.08)]
    stored = {
        "n_labels": 40,
        "label_ratio": [0.6, None],
        "labels_saved": [None, 16.0],
        "error_ratio": [0.6, 0.9],
    }

    saving = savings(pairs, {"z": stored})["z"]
    later = savings([*pairs, *control(3, 80, active=0.03, random=0.05)], {"z": stored})[
        "z"
    ]

    assert saving is not None
    assert saving.intervals is not None
    assert saving.intervals.label_ratio == (0.6, None)
    assert saving.intervals.labels_saved == (None, 16.0)
    assert "(95 % interval 60% to not reached) of the labels" in saving_sentence(saving)
    assert later is not None
    assert later.intervals is None

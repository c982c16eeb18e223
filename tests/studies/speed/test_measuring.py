import math

import pytest

from al_service.studies.speed.measuring import Measurement, side_by_side, timing


def measurement(ours: float, theirs: float | None) -> Measurement:
    return Measurement("b", "w", "s", ours, "p", theirs, facts={"seen": ours})


def test_a_ratio_is_ours_over_theirs_and_nothing_without_a_peer() -> None:
    assert measurement(3.0, 2.0).ratio == 1.5
    assert measurement(3.0, None).ratio is None
    assert measurement(3.0, 0.0).ratio is None


def test_reports_hold_no_number_that_json_lacks() -> None:
    report = measurement(math.inf, 2.0).as_json()
    assert report["ours"] is report["ratio"] is report["facts"]["seen"] is None


def test_both_sides_run_in_turns_after_one_warm_up_each() -> None:
    calls: list[str] = []

    def call(name: str) -> int:
        calls.append(name)
        return len(calls)

    found = side_by_side(lambda: call("ours"), lambda: call("theirs"), repeats=2)
    assert calls == ["ours", "theirs"] * 3
    assert (found.our_result, found.their_result) == (5, 6)
    assert found.facts()["repeats"] == found.facts()["peer_repeats"] == 2


def test_the_median_counts_and_the_spread_is_told() -> None:
    times = timing([(1.0, 0.5), (9.0, 0.7), (2.0, 0.6)])
    assert times.seconds == 2.0
    assert times.processor == pytest.approx(0.6)
    assert times.facts()["slowest_s"] == 9.0

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import al, processes_of

ROW_KEYS = {
    "benchmark",
    "what",
    "unit",
    "ours",
    "peer",
    "theirs",
    "ratio",
    "budget",
    "facts",
}


def rows_of(home: Path, *names: str) -> list[dict[str, Any]]:
    """What a small run reports; times are looked at by people, not by tests."""
    done = al("bench", *names, "--size", "small", "--home", home, "--json", "-")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"settings", "surroundings", "rows"}
    assert report["settings"] == {"size": "small", "benchmarks": list(names)}
    assert report["surroundings"]["threads"]["blas"] >= 1
    for row in report["rows"]:
        assert set(row) == ROW_KEYS
        assert row["ours"] >= 0
        if row["theirs"]:
            assert row["ratio"] == pytest.approx(row["ours"] / row["theirs"], rel=1e-4)
    rows: list[dict[str, Any]] = report["rows"]
    return rows


def test_variance_and_order_are_measured_on_results_that_are_right(
    tmp_path: Path,
) -> None:
    variance, order = rows_of(tmp_path, "variance", "order")
    # float32 products of a hundred terms are good to about 1e-6.
    assert variance["facts"]["largest_relative_error"] < 1e-5
    assert order["facts"]["places_as_defined"] == order["facts"]["places_checked"]
    assert order["facts"]["places_checked"] == order["facts"]["places"]


def test_asking_is_measured_over_http_and_nothing_is_handed_out_twice(
    tmp_path: Path,
) -> None:
    rows = rows_of(tmp_path, "ask")
    assert [row["what"].split()[0] for row in rows] == ["p50", "p99", "max"]
    facts = rows[1]["facts"]
    assert facts["errors"] == facts["peer_errors"] == 0
    assert facts["handed_out_twice"] == facts["rows_handed_out_twice"] == 0
    assert facts["peer_handed_out_twice"] == 0
    assert facts["objects"] == facts["with_prediction"] == 5 * facts["asks"]
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_measured_head_run_serves_and_knows_the_labels_told(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, "tell")
    assert row["facts"]["kind"] == "head"
    assert row["facts"]["serves"]
    assert row["facts"]["labels_known"] == 100 + 2 * 10  # warm-up and one turn
    assert row["facts"]["ranked"] > 0
    assert row["facts"]["predictions"] >= row["facts"]["ranked"]
    assert list(tmp_path.iterdir()) == []


def test_learning_and_scoring_are_measured_beside_their_peers(tmp_path: Path) -> None:
    fit, rmse, mad, near68, near95, score, memory = rows_of(
        tmp_path, "fit", "accuracy", "score"
    )
    assert 0 < fit["facts"]["rmse_norm"] < 0.2
    assert fit["facts"]["rmse_norm"] == rmse["ours"]  # one seed here
    assert 0 < mad["ours"] < 0.2
    assert near68["theirs"] is near95["theirs"] is None
    assert score["facts"]["objects_per_second"] > 0
    assert memory["unit"] == "MB"
    assert memory["ours"] >= memory["facts"]["before_scoring_mb"]


def test_an_unknown_benchmark_is_bad_usage_and_the_known_ones_are_named() -> None:
    refused = al("bench", "variance", "speed")
    assert refused.returncode == 2
    assert "speed" in refused.stderr
    assert "order" in refused.stderr

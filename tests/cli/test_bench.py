import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import al, processes_of
from tests.folders import new_folder

NAMES = [
    "variance",
    "order",
    "reference",
    "simulate",
    "score",
    "tell",
    "ask",
    "scan",
    "import",
]

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

Row = dict[str, Any]  # JSON


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with new_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def report(home: Path) -> dict[str, Any]:
    """One small run of everything; times are looked at by people, not by tests."""
    arguments = ("--size", "small", "--home", home, "--json", "-")
    done = al("bench", *reversed(NAMES), *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def rows(report: dict[str, Any]) -> dict[str, list[Row]]:
    """Benchmark to its rows."""
    found: dict[str, list[Row]] = {name: [] for name in NAMES}
    for row in report["rows"]:
        found[row["benchmark"]].append(row)
    return found


def test_a_report_says_what_was_measured_beside_what_and_where(
    report: dict[str, Any],
) -> None:
    assert set(report) == {"settings", "surroundings", "rows"}
    # In one order, however they were asked for.
    assert report["settings"] == {"size": "small", "benchmarks": NAMES}
    assert report["surroundings"]["cores"] >= 1
    assert report["surroundings"]["threads"]["blas"] >= 1
    assert len(report["surroundings"]["load_average"]) == 3
    for row in report["rows"]:
        assert set(row) == ROW_KEYS
        assert row["ours"] >= 0
        assert row["budget"] == {"at_most": None, "ratio": None}  # for full sizes only
        if row["theirs"] is None:  # the reference comes with an extra
            assert (row["benchmark"], row["ratio"]) == ("reference", None)
            continue
        assert row["ratio"] == pytest.approx(row["ours"] / row["theirs"], rel=1e-4)


def test_variance_and_order_are_measured_on_results_that_are_right(
    rows: dict[str, list[Row]],
) -> None:
    (variance,), (order,) = rows["variance"], rows["order"]
    # float32 products of a hundred terms are good to about 1e-6.
    assert variance["facts"]["largest_relative_error"] < 1e-5
    assert order["facts"]["places_as_defined"] == order["facts"]["places_checked"]
    assert order["facts"]["places_checked"] == order["facts"]["places"]


def test_simulating_is_measured_with_everything_written(
    rows: dict[str, list[Row]],
) -> None:
    (row,) = rows["simulate"]
    assert row["facts"]["objects"] == 192
    assert row["facts"]["objects_per_processor_second"] > 0


def test_asking_is_measured_over_http_and_nothing_is_handed_out_twice(
    rows: dict[str, list[Row]],
) -> None:
    assert [row["what"].split()[0] for row in rows["ask"]] == ["p50", "p99", "max"]
    facts = rows["ask"][1]["facts"]
    assert facts["errors"] == facts["peer_errors"] == 0
    assert facts["handed_out_twice"] == facts["rows_handed_out_twice"] == 0
    assert facts["peer_handed_out_twice"] == 0
    assert facts["objects"] == facts["with_prediction"] == 5 * facts["asks"]


def test_a_measured_head_run_serves_and_knows_the_labels_told(
    rows: dict[str, list[Row]],
) -> None:
    (row,) = rows["tell"]
    assert row["facts"]["kind"] == "head"
    assert row["facts"]["serves"]
    assert row["facts"]["labels_known"] == 100 + 2 * 10  # warm-up and one turn
    assert row["facts"]["ranked"] > 0
    assert row["facts"]["predictions"] >= row["facts"]["ranked"]


def test_scoring_is_measured_with_the_memory_of_a_process_of_its_own(
    rows: dict[str, list[Row]],
) -> None:
    photometry, images = rows["score"][:2], rows["score"][2:]
    assert "images" in images[0]["what"]
    for score, memory in (photometry, images):
        assert score["facts"]["objects_per_second"] > 0
        assert memory["unit"] == "MB"
        assert memory["ours"] >= memory["facts"]["before_scoring_mb"]


def test_scanning_is_measured_on_redshifts_that_are_right(
    rows: dict[str, list[Row]],
) -> None:
    scan, memory = rows["scan"]
    assert scan["facts"]["right"] > 0.9  # a single line may be another
    assert scan["facts"]["a_second"] > 0
    assert (memory["unit"], memory["ours"] > 0) == ("MB", True)


def test_importing_is_measured_through_the_whole_door(
    rows: dict[str, list[Row]],
) -> None:
    spectra, memory, catalog, catalog_memory = rows["import"]
    assert spectra["facts"]["objects"] == 24
    assert catalog["facts"]["objects"] == 1200
    for row in (memory, catalog_memory):
        assert row["unit"] == "MB"
        assert row["ours"] >= row["facts"]["before_importing_mb"]


def test_no_process_and_no_file_is_left_behind(
    report: dict[str, Any], home: Path
) -> None:
    assert report["rows"]
    assert processes_of(home) == []
    assert list(home.iterdir()) == []


def test_an_unknown_benchmark_is_bad_usage_and_the_known_ones_are_named() -> None:
    refused = al("bench", "variance", "speed")
    assert refused.returncode == 2
    assert "speed" in refused.stderr
    assert "order" in refused.stderr

import hashlib
import json
import multiprocessing
from dataclasses import asdict
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from al_service.errors import InvalidInput
from al_service.models.config import ModelConfig
from al_service.studies.campaign import Curve
from al_service.studies.kept_curves import KeptCurves
from al_service.studies.replay import (
    Job,
    Progress,
    ReplayFailed,
    _receive,
    _send,
    run_replay,
)
from al_service.studies.replay_pages import as_html, as_markdown
from al_service.studies.replay_report import replay_report
from al_service.survey.atomic_folder import MANIFEST
from al_service.survey.pool_arrays import PoolArrays
from tests.studies.conftest import small_replay

ARMS = ("lcmd", "random", "top_variance")


@pytest.fixture(scope="module")
def curves(small_pool: Path) -> list[Curve]:
    return run_replay(small_pool, small_replay(strategies=ARMS))


def arm(curves: list[Curve], name: str) -> list[Curve]:
    return [curve for curve in curves if curve.arm == name]


def test_there_is_a_curve_per_strategy_and_seed_with_a_point_per_round(
    curves: list[Curve],
) -> None:
    assert [(curve.arm, curve.seed) for curve in curves] == [
        (name, seed) for seed in (0, 1) for name in ARMS
    ]
    for curve in curves:
        assert [point.n_labels for point in curve.points] == [40, 60, 80]


def test_every_strategy_starts_from_the_same_labels_and_then_goes_its_way(
    curves: list[Curve],
) -> None:
    for seed in (0, 1):
        own = [curve.chosen for curve in curves if curve.seed == seed]
        assert len({chosen[:40] for chosen in own}) == 1
        assert len({chosen[40:] for chosen in own}) == 3


def test_seeds_start_from_different_labels(curves: list[Curve]) -> None:
    first, second = arm(curves, "random")

    assert set(first.chosen[:40]) != set(second.chosen[:40])


def test_nothing_is_labeled_twice_not_even_as_another_observation(
    curves: list[Curve], small_pool: Path
) -> None:
    arrays = PoolArrays.open(small_pool)
    galaxy = dict(
        zip(arrays.object_ids.tolist(), arrays.group_ids.tolist(), strict=True)
    )

    for curve in curves:
        assert len({galaxy[name] for name in curve.chosen}) == 80


def test_two_processes_find_what_one_finds(
    curves: list[Curve], small_pool: Path
) -> None:
    settings = small_replay(strategies=("lcmd",), seeds=1, rounds=1, processes=2)

    in_two = run_replay(small_pool, settings)

    in_one = [curve for curve in curves if curve.seed == 0][:2]
    assert [curve.arm for curve in in_two] == [curve.arm for curve in in_one]
    assert [curve.chosen for curve in in_two] == [curve.chosen[:60] for curve in in_one]
    assert [curve.points for curve in in_two] == [curve.points[:2] for curve in in_one]


@pytest.mark.parametrize("listened", [True, False])
def test_a_process_that_dies_is_named_whether_it_had_heard_of_its_job(
    *, listened: bool
) -> None:
    """One that died before it looked at its job broke the line instead of ending it."""
    ours, theirs = multiprocessing.Pipe()
    ours.send(Job("random", 0))
    if listened:
        theirs.recv()
    theirs.close()

    with pytest.raises(ReplayFailed, match="died before its campaign was over"):
        _receive(ours)
    with pytest.raises(ReplayFailed, match="died before its campaign was over"):
        _send(ours, Job("random", 1))
    ours.close()


def test_progress_counts_points_and_expects_an_end(small_pool: Path) -> None:
    seen: list[Progress] = []

    run_replay(
        small_pool,
        small_replay(strategies=("random",), seeds=1),
        progress=seen.append,
    )

    assert [(one.done, one.total) for one in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[0].rate > 0
    assert [one.seconds_left for one in seen][-1] == 0
    assert all(earlier.seconds <= later.seconds for earlier, later in pairwise(seen))


def test_an_interrupted_replay_goes_on_where_it_was(
    small_pool: Path, tmp_path: Path
) -> None:
    short = small_replay(strategies=("random",), seeds=1)
    first = run_replay(small_pool, short, folder=tmp_path)
    seen: list[Progress] = []

    more = run_replay(
        small_pool,
        small_replay(strategies=("random",), seeds=2),
        folder=tmp_path,
        progress=seen.append,
    )

    assert [one.total for one in seen] == [3, 3, 3]
    assert json.dumps(asdict(more[0])) == json.dumps(asdict(first[0]))
    assert [curve.seed for curve in more] == [0, 1]


def test_seeds_may_start_elsewhere_and_are_the_same_skies(
    small_pool: Path, tmp_path: Path
) -> None:
    both = small_replay(strategies=("random",), seeds=2, rounds=1)
    later = small_replay(strategies=("random",), seeds=1, first_seed=1, rounds=1)
    (_, second) = run_replay(small_pool, both, folder=tmp_path)
    seen: list[Progress] = []

    (alone,) = run_replay(small_pool, later, folder=tmp_path, progress=seen.append)

    assert (alone.seed, alone.chosen) == (1, second.chosen)
    assert seen == []  # found on disk: nothing was left to compute


def test_a_curve_that_was_interrupted_goes_on_behind_its_last_point(
    small_pool: Path, tmp_path: Path
) -> None:
    """Ten networks of images and spectra were trained again for the one that missed."""
    settings = small_replay(strategies=("lcmd",), seeds=1)
    whole = run_replay(small_pool, settings)

    def interrupt(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_replay(small_pool, settings, folder=tmp_path, progress=interrupt)
    seen: list[Progress] = []
    again = run_replay(small_pool, settings, folder=tmp_path, progress=seen.append)

    assert [one.total for one in seen] == [4] * 4  # of six, two of them there
    for curve, expected in zip(again, whole, strict=True):
        assert curve.chosen == expected.chosen
        assert curve.points == expected.points
    assert {path.suffix for path in tmp_path.iterdir()} == {".json"}


def test_a_curve_of_other_sizes_or_settings_is_not_taken_for_this_one(
    small_pool: Path, tmp_path: Path
) -> None:
    settings = small_replay(strategies=("random",), seeds=1, rounds=1)
    run_replay(small_pool, settings, folder=tmp_path)
    kept = KeptCurves(tmp_path, settings, small_pool)

    assert kept.find("random", 0) is not None
    assert kept.find("random", 1) is None
    for other in (
        small_replay(strategies=("random",), rounds=2),
        small_replay(strategies=("random",), rounds=1, batch=21),
        small_replay(strategies=("random",), rounds=1, model=ModelConfig()),
    ):
        assert KeptCurves(tmp_path, other, small_pool).find("random", 0) is None


def test_spoiling_nothing_leaves_kept_curves_their_names(
    small_pool: Path, tmp_path: Path
) -> None:
    """Facts of a curve as they were before anything could be spoiled."""
    settings = small_replay(strategies=("random",), seeds=1, rounds=1)
    facts = {
        "form": 1,
        "version": version("al-service"),
        "pool": hashlib.sha256((small_pool / MANIFEST).read_bytes()).hexdigest(),
        "sizes": {
            "pool": "some",
            "initial": 40,
            "batch": 20,
            "rounds": 1,
            "test_size": 4000,
            "interest": [],
        },
        "name": "random",
        "arm": settings.arm("random").as_json(),
        "seed": 0,
    }
    text = json.dumps(facts, sort_keys=True)

    run_replay(small_pool, settings, folder=tmp_path)

    (file,) = tmp_path.glob("*.json")
    assert file.stem == hashlib.sha256(text.encode()).hexdigest()


def test_a_half_written_curve_is_computed_again(
    small_pool: Path, tmp_path: Path
) -> None:
    settings = small_replay(strategies=("random",), seeds=1, rounds=1)
    whole = run_replay(small_pool, settings, folder=tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text(file.read_text()[:100])

    again = run_replay(small_pool, settings, folder=tmp_path)

    assert [curve.chosen for curve in again] == [curve.chosen for curve in whole]


def test_every_point_is_examined_on_a_uniform_and_a_declared_test_set(
    small_pool: Path,
) -> None:
    settings = small_replay(
        strategies=("random",),
        rounds=1,
        interest=[{"target": "z", "low": 0.1, "weight": 5}],
    )

    (curve,) = run_replay(small_pool, settings)[:1]

    for point in curve.points:
        assert set(point.tests) == {"uniform", "interest"}
        errors = [point.tests[name]["z"]["rmse_norm"] for name in point.tests]
        assert all(error > 0 for error in errors)
        assert len({*errors, point.metrics["z"]["rmse_norm"]}) == 3


def test_the_report_has_the_form_of_the_contract(curves: list[Curve]) -> None:
    settings = small_replay(strategies=ARMS)

    report = json.loads(json.dumps(replay_report(settings, curves), allow_nan=False))

    assert set(report) == {"settings", "strategies"}
    assert report["settings"]["initial"] == 40
    assert set(report["strategies"]) == set(ARMS)
    for strategy in report["strategies"].values():
        assert set(strategy) == {
            "curves",
            "rmse_ratio",
            "label_ratio",
            "all_targets",
            "tests",
            "select_seconds",
        }
        for curve in strategy["curves"]:
            assert set(curve) == {"seed", "points"}
            for point in curve["points"]:
                assert set(point) == {"n_labels", "metrics", "tests"}
                assert "rmse_norm" in point["metrics"]["z"]
        for ratio in ("rmse_ratio", "label_ratio"):
            assert set(strategy[ratio]["z"]) == {"median", "ci95"}
            assert len(strategy[ratio]["z"]["ci95"]) == 2


def test_random_against_itself_has_error_ratio_one(curves: list[Curve]) -> None:
    report = replay_report(small_replay(strategies=ARMS), curves)

    assert report["strategies"]["random"]["rmse_ratio"]["z"] == {
        "median": 1.0,
        "ci95": [1.0, 1.0],
    }


def test_the_report_compares_every_metric_on_every_test_set(
    curves: list[Curve],
) -> None:
    tests = replay_report(small_replay(strategies=ARMS), curves)["strategies"]["lcmd"][
        "tests"
    ]

    assert set(tests) == {"drawn", "uniform"}
    for test in tests.values():
        assert set(test["z"]) == {"rmse_norm", "sigma_mad", "outlier_fraction", "crps"}
        assert set(test["z"]["rmse_norm"]) == {
            "error_ratio",
            "area_ratio",
            "label_ratio",
            "worst_round",
            "win_rate",
        }


def test_the_pages_hold_every_arm_and_need_no_other_file(curves: list[Curve]) -> None:
    report = replay_report(small_replay(strategies=ARMS), curves)

    text, page = as_markdown(report), as_html(report, curves)

    for name in ARMS:
        assert f"| {name} |" in text
        assert f"<td>{name}</td>" in page
    assert page.count("<svg") == 2
    assert "src=" not in page
    ElementTree.fromstring(
        page.removeprefix("<!doctype html>").replace("<meta charset='utf-8'>", "")
    )


def test_random_runs_even_where_nobody_names_it() -> None:
    assert small_replay(strategies=("default",)).arms == ("default", "random")


def test_a_pool_that_is_too_small_is_refused_before_any_work(
    small_pool: Path,
) -> None:
    with pytest.raises(InvalidInput, match="fewer rounds"):
        run_replay(small_pool, small_replay(rounds=100, processes=2))


def test_a_strategy_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValidationError, match="default, random, top_variance, lcmd"):
        small_replay(strategies=("lcdm",))


def test_an_arm_that_could_look_at_nothing_is_refused(small_pool: Path) -> None:
    with pytest.raises(InvalidInput, match=r"has \(photometry\), found spectrum"):
        run_replay(small_pool, small_replay(strategies=("lcmd:modalities=spectrum",)))

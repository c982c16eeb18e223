"""Replays of a simulated survey: images, spectra, scans, nine targets."""

import json
from pathlib import Path

import numpy as np
import pytest

from al_service.models.config import ModelConfig
from al_service.studies.campaign import Curve
from al_service.studies.replay import run_replay
from al_service.studies.replay_pages import as_markdown
from al_service.studies.replay_report import replay_report
from al_service.studies.settings import ReplaySettings
from al_service.survey.pool_arrays import PoolArrays
from al_service.survey.simulation.settings import default_settings
from al_service.survey.simulation.simulate import simulate
from al_service.survey.targets import DEFAULT_TARGETS
from tests.posterior.whole_sky import SMALL

N = 60
QUICK = SMALL.model_copy(update={"min_steps": 12, "pixel_epochs": 1})
SEEING, BLIND = "lcmd", "lcmd:modalities=photometry+image"


def settings(*arms: str, model: ModelConfig = QUICK) -> ReplaySettings:
    return ReplaySettings(
        pool="sky",
        strategies=arms,
        seeds=1,
        initial=16,
        batch=6,
        rounds=1,
        processes=1,
        model=model,
    )


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every galaxy has labels of all targets; most have no spectrum."""
    gaps = {
        "without_spectrum": 0.5,
        "without_labels": 0.0,
        "without_star_formation": 0.0,
        "junk": 0.0,
    }
    path = tmp_path_factory.mktemp("pools") / "sky"
    simulate(path, N, default_settings().with_changes({"gaps": gaps}), seed=0)
    return path


@pytest.fixture(scope="module")
def stages() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="module")
def curves(pool: Path, folder: Path, stages: list[tuple[str, int, int]]) -> list[Curve]:
    return run_replay(
        pool,
        settings(SEEING, BLIND),
        on_stage=lambda *said: stages.append(said),
        folder=folder / "replays",
        scans=folder / "scans",
    )


def test_networks_that_look_at_spectra_hear_what_the_scan_finds(
    curves: list[Curve],
) -> None:
    """Nobody told them, and redshifts were as good as those of images."""
    last = {
        curve.arm: curve.points[-1].metrics["z"]["sigma_mad"] for curve in curves[:2]
    }
    assert last[SEEING] < 0.8 * last[BLIND]


def test_spectra_are_scanned_once_and_pixels_prepared_once(
    curves: list[Curve], stages: list[tuple[str, int, int]], pool: Path, folder: Path
) -> None:
    spectra = int(PoolArrays.open(pool).flags["spectrum"].sum())
    assert [curve.arm for curve in curves] == [SEEING, BLIND, "random"]
    assert stages[0] == ("scanning spectra", 0, spectra)
    assert ("scanning spectra", spectra, spectra) in stages
    assert stages[-1] == ("preparing pixels", N, N)
    assert list((folder / "scans").iterdir())
    assert [path.suffix for path in (folder / "replays").iterdir()] == [".json"] * 3
    again: list[tuple[str, int, int]] = []
    run_replay(
        pool,
        settings(SEEING, BLIND),
        on_stage=lambda *said: again.append(said),
        folder=folder / "replays",
        scans=folder / "scans",
    )
    assert again == []


def test_all_nine_targets_are_compared(curves: list[Curve]) -> None:
    report = replay_report(settings(SEEING, BLIND), curves)
    json.dumps(report, allow_nan=False)
    for strategy in report["strategies"].values():
        assert set(strategy["rmse_ratio"]) == set(DEFAULT_TARGETS)
        (curve,) = strategy["curves"]
        for point in curve["points"]:
            assert set(point["metrics"]) == set(DEFAULT_TARGETS)
    text = as_markdown(report)
    for target in DEFAULT_TARGETS:
        assert f"## {target}, test set drawn" in text


def test_nine_targets_are_summed_up_in_their_mean_and_the_largest(
    curves: list[Curve],
) -> None:
    report = replay_report(settings(SEEING, BLIND), curves)
    for strategy in report["strategies"].values():
        ratios = [one["median"] for one in strategy["rmse_ratio"].values()]
        summed = strategy["all_targets"]
        assert summed["mean_error_ratio"]["median"] == pytest.approx(np.mean(ratios))
        assert summed["largest_error_ratio"]["median"] == max(ratios)
    text = as_markdown(report)
    summed = report["strategies"][BLIND]["all_targets"]["mean_error_ratio"]
    (line,) = [line for line in text.splitlines() if "| mean of all |" in line]
    assert f"{summed['median']:.3f}" in line
    assert text.index("| mean of all |") < text.index("## z, test set drawn")


def test_what_was_prepared_before_gives_the_curves_of_what_is_read_each_time(
    pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = run_replay(pool, settings("random"))
    monkeypatch.setattr("al_service.studies.replayed_pool.MOST_PREPARED_BYTES", 0)
    read = run_replay(pool, settings("random"))
    assert [curve.chosen for curve in prepared] == [curve.chosen for curve in read]
    for one, other in zip(prepared[0].points, read[0].points, strict=True):
        for target in DEFAULT_TARGETS:
            # Pixels were kept in half precision.
            np.testing.assert_allclose(
                one.metrics[target]["rmse"], other.metrics[target]["rmse"], rtol=0.01
            )

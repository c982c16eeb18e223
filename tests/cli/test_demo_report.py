"""What the demo says about two campaigns."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from al_service.cli.demo_campaigns import Duel, Plan, Round, Trained
from al_service.cli.demo_report import saving_of, show_summary, words, write_report
from al_service.cli.demo_surveys import SKIES, Survey
from al_service.client import Run

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SKY = SKIES[Survey.SDSS10K]
DUEL = Duel(Plan(SKY, rounds=2, initial=100, batch=50, seed=0), "lcmd", "a", "b")


def trained(n_labels: int, error: float) -> Trained:
    run = Run(
        id=n_labels,
        campaign="a",
        kind="full",
        state="published",
        n_labels=n_labels,
        progress=1.0,
        eta_seconds=None,
        stale=False,
        attempts=1,
        message=None,
        metrics={
            "targets": {"z": {"rmse_norm": error, "sigma_mad": 0.7 * error}},
            "modalities": ["photometry"],
            "n_parameters": 1234,
            "seconds": {"train": 2.0, "score": 0.5},
        },
        created_at=NOON,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=4),
    )
    return Trained(run, run, ())


def rounds(active: Sequence[float], random: Sequence[float]) -> list[Round]:
    return [
        Round(
            number=number,
            n_labels=100 + 50 * number,
            active=trained(100 + 50 * number, mine),
            random=trained(100 + 50 * number, theirs),
            ask_seconds=0.01,
            tell_seconds=0.02,
        )
        for number, (mine, theirs) in enumerate(zip(active, random, strict=True))
    ]


WINS = rounds([0.04, 0.03, 0.02], [0.04, 0.035, 0.03])
LOSES = rounds([0.04, 0.039, 0.038], [0.04, 0.035, 0.03])


def test_the_summary_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    write_report(tmp_path, DUEL, WINS, wall_seconds=12.5)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert set(summary) == {
        "campaign",
        "modalities",
        "n_parameters",
        "rounds",
        "label_ratio_vs_random",
        "wall_seconds",
    }
    assert summary["modalities"] == ["photometry"]
    assert summary["n_parameters"] == 1234
    assert summary["label_ratio_vs_random"] == pytest.approx(150 / 200)
    assert [one["n_labels"] for one in summary["rounds"]] == [100, 150, 200]
    last = summary["rounds"][-1]
    assert set(last) == {"round", "n_labels", "metrics", "random", "seconds"}
    assert last["metrics"]["z"]["rmse_norm"] == 0.02
    assert last["random"]["z"]["rmse_norm"] == 0.03
    assert last["seconds"] == {"ask": 0.01, "tell": 0.02, "train": 2.0, "score": 0.5}
    assert (tmp_path / "learning-curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_ratio_that_is_not_reached_is_null_and_said(tmp_path: Path) -> None:
    summary = write_report(tmp_path, DUEL, LOSES, wall_seconds=1.0)
    assert summary["label_ratio_vs_random"] is None
    saving = saving_of(LOSES)
    assert saving is not None
    assert saving.labels_saved is None
    assert "did not reach random's final error" in words(DUEL, LOSES)[0]


def test_what_was_learned_is_said_with_its_caveat() -> None:
    sentences = words(DUEL, WINS)
    assert "needed 150 labels" in sentences[0]
    assert "25% fewer" in sentences[0]
    assert "one pair of campaigns" in sentences[-1]


def test_the_terminal_shows_both_curves_with_every_number(tmp_path: Path) -> None:
    console = Console(record=True, width=100)
    summary = write_report(tmp_path, DUEL, WINS, wall_seconds=1.0)
    show_summary(console, DUEL, WINS, summary, tmp_path)
    text = console.export_text()
    for number in ("0.0400", "0.0350", "0.0300", "0.0200", "100", "150", "200"):
        assert number in text
    assert "learning-curve.png" in text

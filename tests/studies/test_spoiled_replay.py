"""Replays in which some labels are wrong and some objects are junk."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from al_service.errors import InvalidInput
from al_service.studies.campaign import Curve
from al_service.studies.kept_curves import KeptCurves
from al_service.studies.replay import run_replay
from al_service.studies.replay_pages import as_html, as_markdown
from al_service.studies.replay_report import replay_report
from al_service.studies.settings import ReplaySettings
from al_service.studies.sky import draw_sky
from al_service.studies.spoiling import spoil
from al_service.survey.pool_arrays import PoolArrays, write_pool_arrays
from al_service.survey.pool_view import whole_pool
from tests.studies.conftest import photometry_of, small_replay

WRONG, JUNK = 0.1, 0.2


@pytest.fixture(scope="module")
def arrays(small_pool: Path) -> PoolArrays:
    return PoolArrays.open(small_pool)


def spoiled_replay(**given: object) -> ReplaySettings:
    return small_replay(
        **{"strategies": ("lcmd",), "wrong_labels": WRONG, "junk": JUNK} | given
    )


@pytest.fixture(scope="module")
def curves(small_pool: Path) -> list[Curve]:
    return run_replay(small_pool, spoiled_replay())


def test_every_strategy_of_a_seed_starts_from_the_same_spoiled_labels(
    small_pool: Path,
) -> None:
    """Networks of the same labels are the same: so are the first points."""
    arms = ("top_variance", "random")
    curves = run_replay(small_pool, spoiled_replay(strategies=arms, seeds=1, rounds=1))
    (clean,) = run_replay(small_pool, small_replay(strategies=arms[1:], seeds=1))[:1]

    # The control has not looked at the pool: sums of fewer rows, in another order.
    one, other = (curve.points[0].metrics["z"] for curve in curves)
    assert one == pytest.approx(other, rel=1e-3)
    assert curves[1].chosen == clean.chosen[:60]
    assert clean.points[0].metrics["z"] != pytest.approx(other, rel=1e-3)


def test_curves_count_what_was_spoiled_of_what_was_asked_for(
    curves: list[Curve], arrays: PoolArrays
) -> None:
    settings = spoiled_replay()
    for curve in curves:
        sky = draw_sky(
            arrays,
            seed=curve.seed,
            test_size=settings.test_size,
            labels_needed=settings.labels_needed,
        )
        told = spoil(
            whole_pool(arrays),
            sky.pool,
            seed=curve.seed,
            wrong_labels=WRONG,
            junk=JUNK,
        )
        asked = np.isin(arrays.object_ids, curve.chosen)
        assert curve.wrong_labels == (told.wrong & asked).sum()
        assert curve.junk == (told.junk & asked).sum()
        assert curve.junk > 0


def test_the_report_says_what_was_spoiled(curves: list[Curve]) -> None:
    report = json.loads(json.dumps(replay_report(spoiled_replay(), curves)))

    assert (report["settings"]["wrong_labels"], report["settings"]["junk"]) == (
        WRONG,
        JUNK,
    )
    own = [curve for curve in curves if curve.arm == "lcmd"]
    assert report["strategies"]["lcmd"]["spoiled_labels"] == {
        "wrong_labels": (own[0].wrong_labels + own[1].wrong_labels) / 2,
        "junk": (own[0].junk + own[1].junk) / 2,
    }
    text, page = as_markdown(report), as_html(report, curves)
    assert "80 labels" not in text.splitlines()[0]
    assert text.splitlines()[0].endswith("labels, 10 % wrong labels, 20 % junk")
    assert "| strategy | wrong labels | junk |" in text
    assert "10 % wrong labels, 20 % junk</h1>" in page


def test_the_report_of_a_clean_replay_speaks_of_nothing_spoiled(
    small_pool: Path,
) -> None:
    settings = small_replay(strategies=("random",), rounds=1)
    report = replay_report(settings, run_replay(small_pool, settings))

    assert "spoiled_labels" not in report["strategies"]["random"]
    assert "junk" not in as_markdown(report)


def test_curves_of_other_shares_are_not_taken_for_these(
    small_pool: Path, tmp_path: Path
) -> None:
    settings = spoiled_replay(strategies=("random",), seeds=1, rounds=1)
    whole = run_replay(small_pool, settings, folder=tmp_path)

    assert KeptCurves(tmp_path, settings, small_pool).find("random", 0) == whole[0]
    for changed in ({"junk": 0.0}, {"wrong_labels": 0.0}, {"junk": 0.1}):
        other = settings.model_copy(update=changed)
        assert KeptCurves(tmp_path, other, small_pool).find("random", 0) is None


def test_an_interrupted_campaign_is_told_the_same_when_it_goes_on(
    small_pool: Path, tmp_path: Path, curves: list[Curve]
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    settings = spoiled_replay(seeds=1)
    with pytest.raises(KeyboardInterrupt):
        run_replay(small_pool, settings, folder=tmp_path, progress=interrupt)

    again = run_replay(small_pool, settings, folder=tmp_path)

    for one, other in zip(again, curves[:2], strict=True):
        assert replace(one, select_seconds=0.0) == replace(other, select_seconds=0.0)


@pytest.mark.parametrize("name", ["wrong_labels", "junk"])
@pytest.mark.parametrize("share", [-0.01, 0.5, float("nan"), float("inf")])
def test_a_share_below_nothing_or_of_half_is_refused(name: str, share: float) -> None:
    with pytest.raises(ValidationError, match=name):
        small_replay(**{name: share})


def test_junk_is_refused_before_any_work_where_pixels_would_show_the_galaxy(
    arrays: PoolArrays, tmp_path: Path
) -> None:
    n, path = len(arrays), tmp_path / "pictured"
    write_pool_arrays(
        path,
        arrays.columns,
        photometry=photometry_of(whole_pool(arrays)),
        targets=arrays.targets,
        image=np.zeros((n, 5, 4, 4), dtype=np.float32),
    )

    with pytest.raises(InvalidInput, match="photometry alone, found photometry, image"):
        run_replay(path, spoiled_replay(processes=2))

    pictured = PoolArrays.open(path)
    sky = draw_sky(pictured, seed=0, test_size=150, labels_needed=50)
    told = spoil(whole_pool(pictured), sky.pool, seed=0, wrong_labels=WRONG)
    assert told.wrong.sum() == round(WRONG * len(sky.pool))

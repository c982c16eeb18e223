"""The study of fusion runs, and its figures are what they say."""

import numpy as np
import pytest

from al_service.studies.fusion_accuracy import (
    ALONE,
    FUSION,
    SUBSETS,
    FusionReport,
    lines_of,
    measure_fusion,
)
from al_service.survey.simulation.simulate import simulate
from tests.posterior.whole_sky import SMALL

N = 220


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> FusionReport:
    folder = tmp_path_factory.mktemp("fusion")
    arrays = simulate(folder / "pool", N, seed=0)
    return measure_fusion(arrays, folder / "scans", config=SMALL)


def test_fusion_is_shown_every_subset_and_each_alone_its_own(
    report: FusionReport,
) -> None:
    arms = {(one.model, one.shown) for one in report.figures}
    assert arms >= {(FUSION, shown) for shown in SUBSETS}
    assert arms >= {(name, name) for name in ALONE}
    assert all(np.isfinite(one.rmse) and one.n > 20 for one in report.figures)


def test_where_a_scan_is_believed_fusion_says_the_same(report: FusionReport) -> None:
    assert report.fused_rmse == pytest.approx(report.scan_rmse, rel=1e-3)


def test_hiding_the_spectrum_costs_redshifts(report: FusionReport) -> None:
    rmse = {
        (one.model, one.shown): one.rmse for one in report.figures if one.target == "z"
    }
    assert rmse[FUSION, "everything"] < 0.5 * rmse[FUSION, "no spectrum"]


def test_the_report_is_one_line_per_figure_and_whitening_counts(
    report: FusionReport,
) -> None:
    text = lines_of(report)
    assert sum(line.startswith(FUSION) for line in text) >= len(SUBSETS) * 9
    raw, white = report.trained[FUSION].participation
    assert raw < white

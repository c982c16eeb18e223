"""What stands before the table, on lines written by hand."""

from typing import Any

import pytest

from al_service.studies.experiment.comparisons import comparisons
from al_service.studies.experiment.overview import Grid, overview
from al_service.studies.experiment.report import Report
from al_service.studies.experiment.settings import ExperimentSettings
from al_service.studies.experiment.system import Family
from al_service.studies.experiment.table import Line

BOTH = ("image", "spectrum")


def line(
    system: str,
    inputs: tuple[str, ...],
    errors: tuple[float, ...],
    family: Family = Family.FUSION,
    hides: bool = False,
    **other: Any,  # Any: fields of several types
) -> Line:
    """Of median rates; seeds are numbered from 3."""
    mean = sum(errors) / len(errors)
    fields = {
        "target": "sfr_median",
        "errors": dict(enumerate(errors, start=3)),
        "metrics": {"rmse": mean, **other.pop("metrics", {})},
        "intervals": {},
        "fit_seconds": 1.0,
        "predict_seconds": 1.0,
        "n_parameters": 1.0,
        "peak_memory_mb": 1.0,
    }
    return Line(system, family, inputs, hides, **{**fields, **other})


def grids(*lines: Line, shares: tuple[dict[str, Any], ...] = ()) -> dict[str, Grid]:
    """By the first word of each title."""
    settings = ExperimentSettings(pool="p", systems=("marginal",))
    report = Report(settings, list(lines), comparisons(lines), list(shares))
    return {grid.title.split()[0]: grid for grid in overview(report)}


def test_a_fused_system_stands_below_its_peer_and_the_bound() -> None:
    found = grids(
        line("ceiling", (), (0.1, 0.1), Family.CEILING),
        line("forest", ("image",), (0.2, 0.4), Family.CLASSICAL),
        line("cnn", ("spectrum",), (0.4, 0.5), Family.NETWORK),
        line("joined", BOTH, (0.1, 0.35)),
        line("joined", ("spectrum",), (0.45, 0.45), hides=True),
    )

    assert found["Several"].rows == [
        ["best single", "image, spectrum", "forest"],
        ["ceiling", "image, spectrum", "0.333"],
        # 0.225 over 0.3; under the seeds 0.1 over 0.2 and 0.35 over 0.4.
        ["joined", "image, spectrum", "0.75 (0.5 to 0.875)"],
    ]
    assert found["Fused"].rows == [
        ["best single", "spectrum", "cnn"],
        ["ceiling", "spectrum", "0.222"],
        ["joined", "spectrum", "1 (0.9 to 1.12)"],
    ]


def test_one_seed_has_no_range() -> None:
    found = grids(
        line("forest", ("image",), (0.2,), Family.CLASSICAL),
        line("joined", BOTH, (0.1,)),
    )

    assert found["Several"].rows[-1] == ["joined", "image, spectrum", "0.5"]


def test_bayesian_systems_are_measured_by_the_ensemble_on_the_same_modalities() -> None:
    def said(target: str, crps: float, covered: float) -> dict[str, Any]:
        metrics = {"crps": crps, "coverage68": covered}
        return {"target": target, "metrics": metrics}

    found = grids(
        *(
            line(name, inputs, (1.0,), Family.BAYESIAN, predict_seconds=cost, **scores)
            for name, inputs, cost, median, average in (
                ("ensemble5_image", ("image",), 4.0, 0.4, 0.1),
                ("layer_image", ("image",), 1.0, 0.5, 0.08),
                ("layer_spectrum", ("spectrum",), 1.0, 0.3, 0.3),
            )
            for scores in (
                said("sfr_median", median, 0.7),
                said("sfr_avg", average, 0.6),
            )
        )
    )["What"]

    cells = {row[0]: dict(zip(found.header, row, strict=True)) for row in found.rows}
    layer = cells["layer_image"]
    assert layer["68 % hold"] == "0.65"
    assert layer["CRPS ÷ ensemble"] == "1.02"  # of 1.25 and 0.8
    assert layer["worst target"] == "1.25"
    assert layer["÷ ensemble"] == "0.25"
    assert cells["layer_spectrum"]["CRPS ÷ ensemble"] == ""
    assert cells["layer_spectrum"]["÷ ensemble"] == ""


def test_a_target_without_a_score_of_one_system_is_left_out_of_its_ratios() -> None:
    """The rest of the scores had been compared with those of other targets."""

    def said(system: str, target: str, crps: float | None) -> Line:
        metrics = {"crps": crps}
        return line(
            system, BOTH, (1.0,), Family.BAYESIAN, target=target, metrics=metrics
        )

    found = grids(
        said("ensemble5", "z", 0.1),
        said("ensemble5", "sfr_median", 0.4),
        said("layer", "z", None),
        said("layer", "sfr_median", 0.3),
    )["What"]

    layer = dict(zip(found.header, found.rows[1], strict=True))
    assert layer["system"] == "layer"
    assert layer["CRPS ÷ ensemble"] == "0.75"


def test_shares_are_means_over_seeds_and_absent_where_one_is_not_defined() -> None:
    def share(target: str, image: float | None, spectrum: float) -> dict[str, Any]:
        parts = {"image": image, "spectrum": spectrum}
        own = {"system": "joined", "target": target}
        return {**own, "shapley": parts, "utilization": parts}

    found = grids(
        line("joined", BOTH, (1.0,)),
        line("joined", BOTH, (1.0,), target="z"),
        shares=(
            share("sfr_median", 0.1, 0.3),
            share("sfr_median", 0.3, 0.5),
            share("z", None, 0.4),
        ),
    )

    assert found["Explained"].rows == [["joined", "0.2 / 0.4", ""]]


def test_a_peer_without_error_is_no_measure() -> None:
    found = grids(
        line("exact", ("image",), (0.0,), Family.CLASSICAL),
        line("ceiling", (), (0.1,), Family.CEILING),
        line("joined", BOTH, (0.1,)),
    )

    assert found["Several"].rows == [
        ["best single", "image, spectrum", "exact"],
        ["joined", "image, spectrum", ""],
    ]


@pytest.mark.parametrize("family", [Family.CLASSICAL, Family.NETWORK])
def test_one_modality_alone_has_no_overview(family: Family) -> None:
    assert grids(line("cnn", ("image",), (1.0,), family)) == {}

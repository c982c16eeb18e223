import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from al_service.errors import InvalidInput
from al_service.studies.experiment.comparisons import comparisons
from al_service.studies.experiment.report import Report, as_json
from al_service.studies.experiment.running import (
    Progress,
    run_experiment,
    trials_folder,
)
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.stored_predictions import StoredPredictions
from al_service.studies.experiment.table import lines_of
from al_service.survey.unfinished import held
from tests.studies.experiment.skies import small_settings


def test_what_is_done_is_not_done_again(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    """Interrupted after the floor, it goes on with the next system."""
    floor = small_settings(systems=("marginal",))
    (first,) = run_experiment(photometric_sky, floor, tmp_path)
    told: list[Progress] = []

    trials = run_experiment(
        photometric_sky, small_settings(), tmp_path, progress=told.append
    )

    assert trials[0] == first
    assert [one.job for one in told] == ["linear_photometry-0", ""]
    assert [one.done for one in told] == [1, 2]
    # Nothing is known yet but what the floor has taken.
    assert told[0].seconds_left == pytest.approx(first["seconds"])
    assert told[0].finished is None
    assert told[1].finished == trials[1]
    assert told[1].seconds_left == 0.0


def test_a_system_is_expected_to_take_what_it_took_under_another_seed(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    told: list[Progress] = []

    trials = run_experiment(
        photometric_sky, small_settings(seeds=2), tmp_path, progress=told.append
    )

    assert told[0].seconds_left is None
    both = sum(trial["seconds"] for trial in trials[:2])
    assert told[2].seconds_left == pytest.approx(both, rel=0.5, abs=0.5)


def test_a_trial_that_another_process_is_writing_is_not_read(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    """Two seeds side by side: one read the other's facts before they were whole."""
    settings = small_settings(systems=("marginal",))
    place = tmp_path / trials_folder(photometric_sky, settings)
    written, abandoned = (place / f".a-{seed}.partial-0123" for seed in (1, 2))
    for partial in (written, abandoned):
        partial.mkdir(parents=True)
        (partial / "facts.json").write_text('{"system": "a", "sec')

    with held(written):
        (trial,) = run_experiment(photometric_sky, settings, tmp_path)

    assert trial["system"] == "marginal"
    assert written.is_dir()
    assert not abandoned.exists()


def test_seeds_of_another_day_join_those_that_are_there(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    """A run over days: the second seed first, then both; nothing is done twice."""
    floor = small_settings(systems=("marginal",), first_seed=1)
    (second,) = run_experiment(photometric_sky, floor, tmp_path)
    both = floor.model_copy(update={"first_seed": 0, "seeds": 2})

    trials = run_experiment(photometric_sky, both, tmp_path)

    assert [trial["seed"] for trial in trials] == [0, 1]
    assert trials[1] == second


def test_another_effort_is_another_trial(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    settings = small_settings(systems=("marginal",))
    run_experiment(photometric_sky, settings, tmp_path)
    fewer = settings.model_copy(update={"n_train": 100})

    (trial,) = run_experiment(photometric_sky, fewer, tmp_path)

    assert trial["n_train"] == 100
    assert len(list(tmp_path.iterdir())) == 2


def test_the_rows_are_what_the_contract_says(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    settings = small_settings(seeds=2)

    trials = run_experiment(photometric_sky, settings, tmp_path)
    report = as_json(Report.of(settings, trials), trials)

    json.dumps(report, allow_nan=False)
    rows = report["rows"]
    assert [(row["system"], row["seed"]) for row in rows] == [
        ("marginal", 0),
        ("linear_photometry", 0),
        ("marginal", 1),
        ("linear_photometry", 1),
    ]
    row = rows[1]
    assert row["inputs"] == ["photometry"]
    assert row["target"] == "z"
    for name in ("fit_seconds", "predict_seconds", "n_parameters", "peak_memory_mb"):
        assert row[name] > 0
    published = {"rmse", "mae", "r2", "bias", "crps", "nll", "coverage68", "coverage95"}
    of_redshift = {"rmse_norm", "sigma_mad", "outlier_fraction"}
    further = {"pit_ks", "cde_loss", "aurc", "outlier_rate", "sigma_iqr", "bias_median"}
    assert published | of_redshift | further <= set(row["metrics"])
    low, high = row["intervals"]["rmse_norm"]
    assert low < row["metrics"]["rmse_norm"] < high
    around = report["surroundings"][1]
    assert (around["system"], around["seed"]) == ("linear_photometry", 0)
    assert around["versions"]["torch"] == torch.__version__
    assert report["searches"][0]["trials"][0]["settings"].keys() == {"alpha"}


def test_color_tells_redshifts_better_than_the_floor(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    settings = small_settings()

    floor, linear = lines_of(run_experiment(photometric_sky, settings, tmp_path))

    assert linear.error < 0.7 * floor.error
    assert linear.metrics["r2"] is not None
    assert linear.metrics["r2"] > 0.5
    assert floor.metrics["r2"] == pytest.approx(0.0, abs=0.1)


def test_fused_systems_are_compared_with_the_best_of_one_modality(
    whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    settings = small_settings(
        systems=("linear_image", "linear_spectrum", "linear_all"),
        n_train=60,
        n_validation=12,
        n_test=24,
    )

    trials = run_experiment(whole_sky, settings, tmp_path)

    lines = [line for line in lines_of(trials) if line.target == "sfr_median"]
    assert {(line.inputs, line.hides) for line in lines} == {
        (("image",), False),
        (("spectrum",), False),
        (("photometry", "image", "spectrum"), False),
        (("image", "spectrum"), True),
        (("photometry", "spectrum"), True),
        (("photometry", "image"), True),
        (("photometry",), True),
        (("image",), True),
        (("spectrum",), True),
    }
    alone = [line for line in lines if len(line.inputs) == 1 and not line.hides]
    best = min(line.error for line in alone)
    whole = next(
        one
        for one in comparisons(lines)
        if one.system == "linear_all" and not one.hides
    )
    assert whole.best_single_error == best
    assert whole.ratio == pytest.approx(whole.error / best)
    shares = {share["target"]: share for share in trials[2]["shares"]}
    assert set(shares["z"]["shapley"]) == {"image", "spectrum"}


def test_an_unknown_system_is_named_with_the_known_ones(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    settings = small_settings(systems=("random_forrest",))

    with pytest.raises(InvalidInput, match=r"out of marginal, .* found 'random_forr"):
        run_experiment(photometric_sky, settings, tmp_path)


def test_latents_are_at_hand_for_simulated_pools_only(
    whole_sky: ExperimentSky, photometric_sky: ExperimentSky
) -> None:
    assert photometric_sky.latents is None
    assert whole_sky.latents is not None
    assert len(whole_sky.latents) == whole_sky.arrays.n_objects
    rows = np.array([5, 2])
    some = whole_sky.examples(rows, ("image",)).measurements
    assert some.latents is not None
    assert np.array_equal(some.latents, whole_sky.latents[rows])
    assert some.inputs.spectrum is None


@pytest.mark.parametrize(
    "file",
    [
        "linear_photometry-0/facts.json",
        "models/linear_photometry-0/facts.json",
        "models/linear_photometry-0/model/estimators.skops",
    ],
)
def test_a_damaged_file_is_named_with_what_to_do_about_it(
    photometric_sky: ExperimentSky, tmp_path: Path, file: str
) -> None:
    linear = small_settings(systems=("linear_photometry",))
    run_experiment(photometric_sky, linear, tmp_path)
    (path,) = tmp_path.glob(f"*/{file}")
    path.write_bytes(path.read_bytes()[:20])
    if file.startswith("models"):
        shutil.rmtree(path.parents[len(Path(file).parts) - 1] / "linear_photometry-0")

    with pytest.raises(InvalidInput, match=f"{file}: .* made anew"):
        run_experiment(photometric_sky, linear, tmp_path)


@pytest.mark.parametrize(
    "file", ["linear_photometry-0/facts.json", "models/linear_photometry-0/facts.json"]
)
@pytest.mark.parametrize("text", ["{}", "[1, 2]"])
def test_another_files_facts_are_refused(
    photometric_sky: ExperimentSky, tmp_path: Path, file: str, text: str
) -> None:
    linear = small_settings(systems=("linear_photometry",))
    run_experiment(photometric_sky, linear, tmp_path)
    (path,) = tmp_path.glob(f"*/{file}")
    path.write_text(text)
    if file.startswith("models"):
        shutil.rmtree(path.parents[2] / "linear_photometry-0")

    with pytest.raises(InvalidInput, match=rf"{file}: .*\(expected .* made anew"):
        run_experiment(photometric_sky, linear, tmp_path)


def test_the_facts_of_another_trial_are_refused(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    both = small_settings()
    run_experiment(photometric_sky, both, tmp_path)
    (mine,) = tmp_path.glob("*/marginal-0/facts.json")
    shutil.copy(mine.parents[1] / "linear_photometry-0" / "facts.json", mine)

    with pytest.raises(
        InvalidInput, match="expected marginal-0, found linear_photometry-0"
    ):
        run_experiment(photometric_sky, both, tmp_path)


def test_a_damaged_trial_that_nobody_asks_for_stops_nothing(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    """What it took would only have told how long the others will take."""
    floor = small_settings(systems=("marginal",))
    run_experiment(photometric_sky, floor, tmp_path)
    (path,) = tmp_path.glob("*/marginal-0/facts.json")
    path.write_text("{}")
    linear = small_settings(systems=("linear_photometry",))

    (trial,) = run_experiment(photometric_sky, linear, tmp_path)

    assert trial["system"] == "linear_photometry"


def test_a_checkpoint_of_which_a_byte_changed_is_named_with_what_to_do_about_it(
    photometric_sky: ExperimentSky, tmp_path: Path
) -> None:
    network = small_settings(systems=("photometry_mlp",))
    run_experiment(photometric_sky, network, tmp_path)
    (path,) = tmp_path.glob("*/models/photometry_mlp-0/model/*/tensors.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    (trial,) = tmp_path.glob("*/photometry_mlp-0")
    shutil.rmtree(trial)

    with pytest.raises(InvalidInput, match=r"photometry_mlp-0/model: .* made anew"):
        run_experiment(photometric_sky, network, tmp_path)


def test_the_predictions_of_something_else_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "predictions.npz", allow_pickle=False, other=np.zeros(3))

    with pytest.raises(InvalidInput, match=r"predictions\.npz: .*targets"):
        StoredPredictions.read(tmp_path)


def test_damaged_predictions_are_named(tmp_path: Path) -> None:
    (tmp_path / "predictions.npz").write_bytes(b"PK")

    with pytest.raises(InvalidInput, match=r"predictions\.npz: .*damaged"):
        StoredPredictions.read(tmp_path)

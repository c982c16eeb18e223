"""Networks that several rows build on are trained once, whatever happens in between."""

import shutil
from pathlib import Path

import numpy as np

from al_service.studies.experiment.running import run_experiment, trials_folder
from al_service.studies.experiment.sky import ExperimentSky
from al_service.studies.experiment.storing import read_tensors
from al_service.studies.experiment.trial import MODELS
from tests.studies.experiment.skies import small_settings

SETTINGS = small_settings(
    systems=("late_product", "image_cnn", "late_stacked", "laplace_image"),
    n_train=48,
    n_validation=16,
    n_test=16,
)


def test_rows_that_build_on_a_network_find_it_and_answer_for_its_seconds(
    whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    product, image, stacked, laplace = run_experiment(whole_sky, SETTINGS, tmp_path)

    models = tmp_path / trials_folder(whole_sky, SETTINGS) / MODELS
    assert {place.name for place in models.iterdir()} == {
        *("late_product-0", "image_cnn-0", "late_stacked-0", "laplace_image-0"),
        "spectrum_cnn_lines-0",
    }
    alone = read_tensors(models / "image_cnn-0" / "model")
    joined = read_tensors(models / "late_stacked-0" / "model" / "image")
    curved = read_tensors(models / "laplace_image-0" / "model")
    for name in (name for name in alone if name.startswith("network.0/")):
        np.testing.assert_array_equal(alone[name], joined[name])
        np.testing.assert_array_equal(alone[name], curved[name])
    for row in (product, stacked, laplace):
        assert row["fit_seconds"] > image["fit_seconds"]


def test_who_is_interrupted_while_a_model_is_examined_does_not_train_it_again(
    whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    """Killed between training and table: the model is complete, the trial is not."""
    settings = SETTINGS.model_copy(update={"systems": ("image_cnn",)})
    (before,) = run_experiment(whole_sky, settings, tmp_path)
    place = tmp_path / trials_folder(whole_sky, settings)
    shutil.rmtree(place / "image_cnn-0")
    (place / ".image_cnn-0.partial-0123").mkdir()
    model = (place / MODELS / "image_cnn-0").stat()

    (after,) = run_experiment(whole_sky, settings, tmp_path)

    assert (place / MODELS / "image_cnn-0").stat() == model
    assert after["fit_seconds"] == before["fit_seconds"]
    assert after["rows"] == before["rows"]


def test_an_ensemble_that_is_interrupted_keeps_the_networks_that_it_has(
    whole_sky: ExperimentSky, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"systems": ("ensemble5_image",)})
    (before,) = run_experiment(whole_sky, settings, tmp_path)
    place = tmp_path / trials_folder(whole_sky, settings)
    members = settings.effort.members
    networks = [
        place / MODELS / f"{name}-0"
        for name in ("image_cnn", *(f"image_cnn_again{k}" for k in range(1, members)))
    ]
    found = [read_tensors(network / "model") for network in networks]
    joined = read_tensors(place / MODELS / "ensemble5_image-0" / "model")
    for number, own in enumerate(found):
        for name, part in own.items():
            if name.startswith("network.0/"):
                other = joined[name.replace("network.0", f"network.{number}", 1)]
                np.testing.assert_array_equal(part, other)
    first, second = (own["network.0/head.weight"] for own in found[:2])
    assert (first != second).any()
    written = [network.stat() for network in networks]
    shutil.rmtree(place / "ensemble5_image-0")
    shutil.rmtree(place / MODELS / "ensemble5_image-0")

    (after,) = run_experiment(whole_sky, settings, tmp_path)

    assert [network.stat() for network in networks] == written
    assert after["n_parameters"] == before["n_parameters"]
    metrics = [[row["metrics"] for row in one["rows"]] for one in (before, after)]
    assert metrics[0] == metrics[1]

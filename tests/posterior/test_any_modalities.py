"""One code path for objects with any subset of photometry, image and spectrum."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
import torch

from al_service.errors import RunStopped
from al_service.models.config import ModelConfig
from al_service.models.network import Network
from al_service.posterior.checkpoint import load_checkpoint, save_checkpoint
from al_service.posterior.features import PIXEL_CHUNK_ROWS, Features, extract
from al_service.posterior.fitting import TrainingSet, fit_network
from al_service.posterior.head import Head
from al_service.posterior.optimizing import one_thread
from al_service.posterior.teaching import fit_head
from al_service.survey.inputs import Inputs, Modality, Rows
from al_service.survey.targets import DEFAULT_TARGETS
from tests.posterior.whole_sky import SMALL, WholeSky, only, whole_sky

N = 200
TARGETS = ("z", "sfr_median")
Z, SFR = 0, 1


@pytest.fixture(scope="module")
def sky() -> WholeSky:
    return whole_sky(N)


@pytest.fixture(scope="module")
def network(sky: WholeSky) -> Network:
    return fitted(sky.training_set(TARGETS))


@pytest.fixture(scope="module")
def known(network: Network, sky: WholeSky) -> Features:
    return extract(network, sky.inputs)


@pytest.fixture(scope="module")
def head(network: Network, known: Features, sky: WholeSky) -> Head:
    training = sky.training_set(TARGETS)
    return fit_head(network, known, training.values, training.errors)


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def fitted(training: TrainingSet, config: ModelConfig = SMALL) -> Network:
    return fit_network(training, targets=TARGETS, config=config, seed=1)


def test_a_network_looks_at_everything_that_labeled_objects_have(
    network: Network, sky: WholeSky
) -> None:
    assert network.modalities == ("image", "photometry", "spectrum")
    blind = fitted(replace(sky.training_set(TARGETS), inputs=only(sky.inputs, "image")))
    assert blind.modalities == ("image",)


def test_a_campaign_may_forbid_modalities(sky: WholeSky) -> None:
    config = SMALL.model_copy(update={"modalities": ("photometry",)})
    network = fitted(sky.training_set(TARGETS), config)
    assert network.modalities == ("photometry",)
    assert extract(network, sky.inputs).scan is None


def test_an_image_cannot_speak_for_an_object_that_has_none(
    network: Network, sky: WholeSky
) -> None:
    without = only(sky.inputs, "photometry", "spectrum")
    assert without.image is not None
    changed = replace(without, image=without.image + 1.0)
    np.testing.assert_array_equal(
        extract(network, without).phi, extract(network, changed).phi
    )


@pytest.mark.usefixtures("three_threads")
def test_features_do_not_depend_on_the_number_of_cores(network: Network) -> None:
    new = whole_sky(2 * PIXEL_CHUNK_ROWS + 8, seed=9).inputs
    many = extract(network, new)
    with one_thread():
        alone = extract(network, new)
    for name, part in many.arrays().items():
        np.testing.assert_array_equal(part, alone.arrays()[name], err_msg=name)
    np.testing.assert_array_equal(many.patterns & ~Modality.REDSHIFT, new.patterns)


@pytest.mark.parametrize("name", ["image", "photometry", "spectrum"])
def test_every_modality_is_heard(network: Network, sky: WholeSky, name: str) -> None:
    others = {"image", "photometry", "spectrum"} - {name}
    here = np.asarray(getattr(sky.inputs, f"has_{name}"))
    seen = extract(network, sky.inputs).phi
    unseen = extract(network, only(sky.inputs, *others)).phi
    changed = (seen != unseen).any(axis=1)
    np.testing.assert_array_equal(changed, here)


def test_the_line_of_the_spectrum_tells_the_star_formation_rate(
    network: Network, head: Head
) -> None:
    new = whole_sky(200, seed=9)
    rate = new.values[:, DEFAULT_TARGETS.index("sfr_median")]
    has = np.asarray(new.inputs.has_spectrum)
    seen = head.predict(extract(network, new.inputs)).mean[has, SFR]
    blind = head.predict(extract(network, only(new.inputs, "image"))).mean[has, SFR]
    error = np.sqrt(np.mean((seen - rate[has]) ** 2))
    assert error < 0.8 * np.sqrt(np.mean((blind - rate[has]) ** 2))


def test_a_believed_scan_is_the_redshift_and_another_is_not(
    network: Network, known: Features, head: Head, sky: WholeSky
) -> None:
    assert known.scan is not None
    assert sky.inputs.scan is not None
    believed = np.isfinite(known.scan[:, 0])
    np.testing.assert_array_equal(believed, sky.inputs.scan[:, 2] > 0.9)
    np.testing.assert_array_equal(
        believed, (known.patterns & int(Modality.REDSHIFT)) > 0
    )
    predicted = head.predict(known)
    np.testing.assert_allclose(
        predicted.mean[believed, Z], sky.inputs.scan[believed, 0], rtol=1e-5
    )
    assert (predicted.epistemic[believed, Z] == 0.0).all()
    wrong = np.asarray(sky.inputs.has_spectrum) & ~believed
    error = predicted.mean[wrong, Z] - sky.values[wrong, 0]
    assert np.sqrt(np.mean(error**2)) < 0.15  # the scan itself is off by 0.4
    assert network.modalities[-1] == "spectrum"


def test_labels_of_objects_with_a_scan_teach_z_to_those_without(
    network: Network, sky: WholeSky
) -> None:
    """With labels of spectra alone nothing was known of objects without."""
    has = np.flatnonzero(np.asarray(sky.inputs.scan)[:, 2] > 0.9)
    training = sky.training_set(TARGETS)
    known = extract(network, sky.inputs.take(has))
    head = fit_head(network, known, training.values[has], training.errors[has])
    new = whole_sky(200, seed=9)
    inputs = only(new.inputs, "photometry", "image")
    some = inputs.patterns > 0
    z = new.values[some, 0]
    error = head.predict(extract(network, inputs)).mean[some, Z] - z
    assert np.sqrt(np.mean(error**2)) < 0.7 * np.std(z)


def test_a_sure_scan_that_contradicts_all_the_rest_is_left_aside(
    network: Network, known: Features, sky: WholeSky
) -> None:
    training = sky.training_set(TARGETS)
    head = fit_head(network, known, training.values, training.errors)
    scan = np.array(sky.inputs.scan)
    wrong = np.flatnonzero(scan[:, 2] > 0.9)[:5]
    scan[wrong, 0] = 2.5
    seen = extract(network, replace(sky.inputs, scan=scan))
    predicted = head.predict(seen)
    unseen = head.predict(known.without_spectra())
    np.testing.assert_array_equal(predicted.mean[wrong], unseen.mean[wrong])
    assert (predicted.patterns[wrong] & int(Modality.REDSHIFT) == 0).all()
    assert (head.epistemic_variance(seen)[wrong, Z] > 0.0).all()
    others = np.setdiff1d(np.arange(len(known)), wrong)
    np.testing.assert_allclose(
        predicted.mean[others], head.predict(known).mean[others], rtol=1e-9
    )


def test_the_scan_learns_from_labels_how_precise_it_is(
    network: Network, known: Features, sky: WholeSky
) -> None:
    assert known.scan is not None
    training = sky.training_set(TARGETS)
    stated = fit_head(network, known, training.values, training.errors).scan_scale
    assert stated == pytest.approx([1.0], abs=0.5)
    boastful = known.scan * np.array([1.0, 1 / 16, 1.0], dtype=np.float32)
    scaled = fit_head(
        network, replace(known, scan=boastful), training.values, training.errors
    )
    np.testing.assert_allclose(scaled.scan_scale, 16.0 * stated, rtol=1e-4)


def test_the_same_seed_gives_the_same_convolutions_bit_for_bit(sky: WholeSky) -> None:
    few = sky.training_set(TARGETS)
    some = replace(
        few,
        inputs=few.inputs.take(slice(0, 40)),
        values=few.values[:40],
        errors=few.errors[:40],
    )
    config = SMALL.model_copy(update={"min_steps": 3, "pixel_epochs": 1})
    one, other = fitted(some, config), fitted(some, config)
    for (name, a), b in zip(
        one.module.state_dict().items(), other.module.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b), name


def test_training_on_pixels_may_stop_after_every_step(sky: WholeSky) -> None:
    """Twenty steps with images and spectra took up to ten seconds."""
    seen: list[float] = []
    with pytest.raises(RunStopped, match="after 2 of 60 steps"):
        fit_network(
            sky.training_set(TARGETS),
            targets=TARGETS,
            config=SMALL,
            seed=1,
            progress=seen.append,
            should_stop=lambda: len(seen) >= 2,
        )


class OneReader:
    """Objects that cannot be read twice at a time, some of them not at all."""

    def __init__(self, inputs: Inputs, *, broken_from: int) -> None:
        self._inputs = inputs
        self._broken_from = broken_from
        self._reading = Lock()

    def __len__(self) -> int:
        return len(self._inputs)

    def take(self, rows: Rows) -> Inputs:
        assert isinstance(rows, slice)
        if not self._reading.acquire(blocking=False):
            raise AssertionError("read by two at a time")
        try:
            if rows.start >= self._broken_from:
                raise OSError(f"rows from {rows.start} are damaged")
            return self._inputs.take(rows)
        finally:
            self._reading.release()


@pytest.mark.usefixtures("three_threads")
def test_what_cannot_be_read_ends_the_work_of_all_cores(network: Network) -> None:
    inputs = whole_sky(3 * PIXEL_CHUNK_ROWS, seed=9).inputs
    whole = extract(network, OneReader(inputs, broken_from=len(inputs)))
    assert len(whole) == len(inputs)
    damaged = OneReader(inputs, broken_from=PIXEL_CHUNK_ROWS)
    with pytest.raises(OSError, match=f"rows from {PIXEL_CHUNK_ROWS} are damaged"):
        extract(network, damaged)
    assert torch.get_num_threads() == 3


def test_a_checkpoint_keeps_every_modality(
    network: Network, known: Features, head: Head, sky: WholeSky, tmp_path: Path
) -> None:
    digest = save_checkpoint(tmp_path, network, head)
    loaded = load_checkpoint(tmp_path, digest)
    assert loaded.network.modalities == network.modalities
    np.testing.assert_array_equal(loaded.head.scan_scale, head.scan_scale)
    again = extract(loaded.network, sky.inputs)
    for name, part in known.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], part, err_msg=name)


def test_chunks_of_pixels_do_not_show(network: Network, sky: WholeSky) -> None:
    both = extract(network, sky.inputs)
    last = extract(network, sky.inputs.take(slice(N - 7, N)))
    np.testing.assert_allclose(both.phi[-7:], last.phi, rtol=1e-3, atol=1e-3)

"""Every pattern of modalities has a last layer, which all labels teach."""

from dataclasses import replace

import numpy as np
import pytest

from al_service.models.network import Network
from al_service.posterior.features import extract
from al_service.posterior.fitting import TrainingSet, fit_network, partial_patterns
from al_service.posterior.head import EVERYTHING, Head
from al_service.posterior.teaching import fit_head
from al_service.survey.inputs import Modality
from tests.posterior.whole_sky import SMALL, WholeSky, only, whole_sky

TARGETS = ("z", "sfr_median")
IMAGE = int(Modality.IMAGE)
UNSEEN = int(Modality.PHOTOMETRY | Modality.IMAGE)
PAIR = int(Modality.IMAGE | Modality.SPECTRUM)


@pytest.fixture(scope="module")
def sky() -> WholeSky:
    return whole_sky(160)


@pytest.fixture(scope="module")
def network(sky: WholeSky) -> Network:
    config = SMALL.model_copy(update={"min_steps": 8})
    labels = sky.training_set(TARGETS)
    return fit_network(
        labels, targets=TARGETS, config=config, seed=1, patterns=(IMAGE, PAIR)
    )


def taught(network: Network, labels: TrainingSet, *names: str) -> Head:
    """By labels of objects of which some modalities were measured and no more."""
    inputs = labels.inputs.take(slice(None))
    seen = only(inputs, *names) if names else inputs
    return fit_head(network, extract(network, seen), labels.values, labels.errors)


def test_everything_and_everything_but_the_spectrum_always_have_weights(
    network: Network, sky: WholeSky
) -> None:
    head = taught(network, sky.training_set(TARGETS))
    assert head.patterns.tolist() == [EVERYTHING, UNSEEN, IMAGE, PAIR]
    assert head.mean.shape == (4, 2, SMALL.dim + 1)


@pytest.mark.parametrize(
    "names", [("photometry", "image"), ("image",), ("image", "spectrum")]
)
def test_a_pattern_is_taught_as_if_no_more_had_been_measured_of_any_object(
    network: Network, sky: WholeSky, names: tuple[str, ...]
) -> None:
    labels = sky.training_set(TARGETS)
    asked = extract(network, only(whole_sky(60, seed=3).inputs, *names))
    expected = taught(network, labels, *names).predict(asked)
    found = taught(network, labels).predict(asked)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.epistemic, expected.epistemic, rtol=1e-3)


def test_an_object_is_served_by_the_smallest_pattern_that_has_all_it_has(
    network: Network, sky: WholeSky
) -> None:
    head = taught(network, sky.training_set(TARGETS))
    photometry, spectrum = int(Modality.PHOTOMETRY), int(Modality.SPECTRUM)
    believed = int(Modality.REDSHIFT)
    asked = [EVERYTHING | believed, UNSEEN, IMAGE, PAIR, photometry, spectrum, 0]
    assert head.serving(np.array(asked)).tolist() == [0, 1, 2, 3, 1, 3, 2]


def test_what_the_network_does_not_look_at_makes_no_pattern(sky: WholeSky) -> None:
    config = SMALL.model_copy(update={"min_steps": 3, "modalities": ("image",)})
    labels = sky.training_set(TARGETS)
    network = fit_network(labels, targets=TARGETS, config=config, seed=1)
    assert network.partial_patterns == ()
    head = taught(network, labels)
    assert head.patterns.tolist() == [IMAGE]
    assert head.serving(np.array([EVERYTHING, UNSEEN, 0])).tolist() == [0, 0, 0]


def test_patterns_of_the_pool_that_are_not_rare_have_weights(sky: WholeSky) -> None:
    """One object in two hundred has an image alone, as many as not the spectrum."""
    n = len(sky.inputs)
    inputs = replace(
        sky.inputs, has_photometry=np.ones(n, dtype=bool), has_image=np.arange(n) > 0
    )
    labels = replace(sky.training_set(TARGETS), inputs=inputs)
    config = SMALL.model_copy(update={"min_steps": 3})
    network = fit_network(labels, targets=TARGETS, config=config, seed=1)
    assert network.partial_patterns == ()
    common = replace(inputs, has_image=np.arange(n) % 4 > 0)
    network = fit_network(
        labels, targets=TARGETS, config=config, seed=1, pool_inputs=common
    )
    without_image = int(Modality.PHOTOMETRY | Modality.SPECTRUM)
    assert network.partial_patterns == (int(Modality.PHOTOMETRY), without_image)


def test_a_pattern_is_named_once_however_often_it_is_asked_for() -> None:
    asked = [IMAGE, IMAGE, EVERYTHING, UNSEEN, 0]
    assert partial_patterns(EVERYTHING, asked) == (IMAGE,)
    assert partial_patterns(IMAGE, asked) == ()


def test_of_an_object_with_a_spectrum_alone_nothing_is_known_without_it() -> None:
    spectrum = int(Modality.SPECTRUM)
    assert partial_patterns(EVERYTHING, [spectrum]) == (0, spectrum)
    assert partial_patterns(spectrum, [spectrum]) == ()


def test_labels_with_scans_teach_z_to_every_pattern_that_has_a_spectrum(
    sky: WholeSky,
) -> None:
    """Where nobody had photometry alone, no label taught z to those without image."""
    n, without_image = len(sky.inputs), int(Modality.PHOTOMETRY | Modality.SPECTRUM)
    z = sky.values[:, 0]
    everything = np.ones(n, dtype=bool)
    inputs = replace(
        sky.inputs,
        has_photometry=everything,
        has_image=everything,
        has_spectrum=everything,
        scan=np.stack([z, np.full(n, 1e-4), np.full(n, 0.98)], axis=1),
    )
    labels = replace(sky.training_set(TARGETS), inputs=inputs)
    config = SMALL.model_copy(update={"min_steps": 3})

    network = fit_network(
        labels, targets=TARGETS, config=config, seed=1, patterns=(without_image,)
    )
    head = taught(network, labels)

    assert network.partial_patterns == (int(Modality.PHOTOMETRY), without_image)
    place = head.patterns.tolist().index(without_image)
    assert np.abs(head.mean[place, TARGETS.index("z")]).max() > 0.0

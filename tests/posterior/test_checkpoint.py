"""Checkpoints: what was served is what is read, or nothing."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from al_service.errors import CorruptArtifact, OutdatedCheckpoint
from al_service.models.network import Network
from al_service.posterior.calibration import Calibration, fit_calibration
from al_service.posterior.checkpoint import load_checkpoint, save_checkpoint
from al_service.posterior.features import extract
from al_service.posterior.fitting import fit_network
from al_service.posterior.head import Head
from al_service.posterior.teaching import fit_head
from tests.posterior.galaxies import TINY, survey, training_set

TARGETS = ("z", "sfr_median", "sfr_p2p5")
"""A chain among them: errors go together."""
Model = tuple[Network, Head, Calibration]


@pytest.fixture(scope="module")
def model() -> Model:
    training = training_set(60, TARGETS)
    network = fit_network(training, targets=TARGETS, config=TINY, seed=1)
    features = extract(network, training.inputs)
    head = fit_head(network, features, training.values, training.errors)
    calibration = fit_calibration(head.predict(features), training.values)
    return network, head, calibration


def test_a_checkpoint_predicts_what_the_model_predicted(
    model: Model, tmp_path: Path
) -> None:
    network, head, calibration = model
    inputs, _ = survey(20, seed=3)
    expected = calibration.apply(head.predict(extract(network, inputs)))
    digest = save_checkpoint(tmp_path, network, head, calibration)
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    loaded = load_checkpoint(tmp_path, digest)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert loaded.calibration is not None
    found = loaded.calibration.apply(
        loaded.head.predict(extract(loaded.network, inputs))
    )
    for name, array in expected.arrays().items():
        np.testing.assert_array_equal(found.arrays()[name], array, err_msg=name)
    assert loaded.network.config == network.config
    np.testing.assert_array_equal(loaded.network.noise_limits, network.noise_limits)


def test_a_network_of_the_last_version_is_served_with_independent_errors(
    model: Model, tmp_path: Path
) -> None:
    network, head, _ = model
    features = extract(network, survey(20, seed=3)[0])
    digest = renamed(tmp_path, save_checkpoint(tmp_path, network, head), version=4)

    loaded = load_checkpoint(tmp_path, digest)

    alone = np.tile(np.eye(len(TARGETS)), (len(head.patterns), 1, 1))
    expected = replace(head, correlation=alone).predict(features)
    found = loaded.head.predict(features)
    np.testing.assert_array_equal(found.aleatoric, expected.aleatoric)
    np.testing.assert_array_equal(found.epistemic, expected.epistemic)
    assert not np.allclose(found.aleatoric, head.predict(features).aleatoric)


def renamed(folder: Path, digest: str, *, version: int) -> str:
    """A checkpoint as if another version had written it."""
    path = folder / digest / "manifest.json"
    facts = json.loads(path.read_text())
    text = json.dumps({**facts, "version": version}).encode()
    path.write_bytes(text)
    other = hashlib.sha256(text).hexdigest()
    (folder / digest).rename(folder / other)
    return other


def test_the_same_model_has_the_same_digest_and_is_stored_once(
    model: Model, tmp_path: Path
) -> None:
    digest = save_checkpoint(tmp_path, *model)
    assert save_checkpoint(tmp_path, *model) == digest
    assert [path.name for path in tmp_path.iterdir()] == [digest]
    network, head, _ = model
    assert save_checkpoint(tmp_path, network, head) != digest
    assert load_checkpoint(tmp_path, digest).network.targets == TARGETS


@pytest.mark.parametrize("name", ["manifest.json", "tensors.safetensors"])
def test_a_single_changed_byte_is_noticed(
    model: Model, tmp_path: Path, name: str
) -> None:
    digest = save_checkpoint(tmp_path, *model)
    path = tmp_path / digest / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArtifact, match=name):
        load_checkpoint(tmp_path, digest)


def test_a_checkpoint_without_its_tensors_is_noticed(
    model: Model, tmp_path: Path
) -> None:
    digest = save_checkpoint(tmp_path, *model)
    (tmp_path / digest / "tensors.safetensors").unlink()
    with pytest.raises(CorruptArtifact, match="no file"):
        load_checkpoint(tmp_path, digest)


def test_a_checkpoint_of_another_version_says_so(model: Model, tmp_path: Path) -> None:
    digest = renamed(tmp_path, save_checkpoint(tmp_path, *model), version=3)
    with pytest.raises(OutdatedCheckpoint, match="format 5, found 3"):
        load_checkpoint(tmp_path, digest)

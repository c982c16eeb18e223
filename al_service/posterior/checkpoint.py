"""Checkpoints: safetensors and JSON in a folder named by its digest; never pickle.

    <digest>/manifest.json       configuration, and the digest of the tensors
    <digest>/tensors.safetensors weights, scales, posterior

The name is the sha256 of the manifest, the manifest holds the sha256 of the tensors:
both are checked on every read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from al_service.errors import OutdatedCheckpoint
from al_service.features.preparation import COLUMNS_OF
from al_service.features.scaling import Scaler
from al_service.models.config import ModelConfig
from al_service.models.fusion import FusionNetwork
from al_service.models.network import Network
from al_service.models.whitening import Whitening
from al_service.posterior.calibration import Calibration
from al_service.posterior.head import Head
from al_service.posterior.predictions import IntervalWidths
from al_service.survey.atomic_folder import (
    MANIFEST,
    manifest_text,
    new_folder,
    read_manifest,
    verify_files,
)

FORMAT_VERSION: Final = 5
"""2 knows the limits of the noise, which 1 cannot be given without its labels; 3 says
which modalities it sees; in 4 modalities meet in a hidden layer, and every pattern of
them has a last layer; 5 knows how errors of the latents go together."""

SERVED_VERSIONS: Final = (4, FORMAT_VERSION)
"""An older network is trained anew. In 4 errors are taken for independent."""

_TENSORS: Final = "tensors.safetensors"

Arrays = dict[str, NDArray[Any]]  # Any: of several types


@dataclass(frozen=True)
class Checkpoint:
    """A model as it was served."""

    network: Network
    head: Head
    calibration: Calibration | None


def save_checkpoint(
    directory: Path,
    network: Network,
    head: Head,
    calibration: Calibration | None = None,
) -> str:
    """Write a checkpoint; it appears complete or not at all.

    Args:
        directory: folder of all checkpoints.
        network: the trained network.
        head: its last layer.
        calibration: interval widths, if any.

    Returns:
        The digest, which is the checkpoint's name in the directory.
    """
    tensors = save(
        {
            name: np.ascontiguousarray(array)
            for name, array in _arrays(network, head, calibration).items()
        }
    )
    facts = {
        "version": FORMAT_VERSION,
        "targets": list(network.targets),
        "config": network.config.model_dump(mode="json"),
        "modalities": list(network.modalities),
        "partial_patterns": list(network.partial_patterns),
    }
    text = manifest_text(facts, {_TENSORS: hashlib.sha256(tensors).hexdigest()})
    digest = hashlib.sha256(text).hexdigest()
    if not (directory / digest).is_dir():
        with new_folder(directory / digest) as folder:
            (folder / _TENSORS).write_bytes(tensors)
            (folder / MANIFEST).write_bytes(text)
    return digest


def load_checkpoint(directory: Path, digest: str) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CorruptArtifact: a file is not what its digest says.
        OutdatedCheckpoint: another version of this service wrote it.
    """
    folder = directory / digest
    manifest = read_manifest(folder, digest)
    verify_files(folder, manifest)
    if manifest.get("version") not in SERVED_VERSIONS:
        raise OutdatedCheckpoint(folder, FORMAT_VERSION, manifest.get("version"))
    arrays = load_file(folder / _TENSORS)
    targets = tuple(manifest["targets"])
    config = ModelConfig.model_validate(manifest["config"])
    network = replace(
        _network(arrays, targets, config, manifest["modalities"]),
        partial_patterns=tuple(manifest["partial_patterns"]),
    )
    parts = _under(arrays, "head")
    if manifest["version"] < FORMAT_VERSION:
        parts.pop("correlation", None)  # of all patterns at once, for some days
    head = Head(targets=targets, **parts)
    widths = _under(arrays, "calibration")
    calibration = Calibration(targets, IntervalWidths(**widths)) if widths else None
    return Checkpoint(network, head, calibration)


def _arrays(network: Network, head: Head, calibration: Calibration | None) -> Arrays:
    parts: dict[str, Mapping[str, NDArray[Any]]] = {
        "module": {
            name: weight.numpy() for name, weight in network.module.state_dict().items()
        },
        "whitening": vars(network.whitening),
        "latent": {
            "center": network.latent_center,
            "spread": network.latent_spread,
            "noise_scale": network.noise_scale,
            "noise_limits": network.noise_limits,
        },
        "head": {
            name: part
            for name, part in vars(head).items()
            if name != "targets" and part is not None
        },
    }
    for name, scaler in network.scalers.items():
        parts[f"scaler.{name}"] = vars(scaler)
    if calibration is not None:
        parts["calibration"] = vars(calibration.widths)
    return {
        f"{part}/{name}": array
        for part, arrays in parts.items()
        for name, array in arrays.items()
    }


def _network(
    arrays: Arrays, targets: tuple[str, ...], config: ModelConfig, modalities: list[str]
) -> Network:
    names = [COLUMNS_OF[modality] for modality in modalities]
    scalers = {name: Scaler(**_under(arrays, f"scaler.{name}")) for name in names}
    with torch.device("meta"):  # no random start, no memory: weights follow
        module = FusionNetwork(
            config,
            widths={name: len(scaler.center) for name, scaler in scalers.items()},
            n_latents=len(targets),
        )
    weights = {
        name: torch.from_numpy(array)
        for name, array in _under(arrays, "module").items()
    }
    module.load_state_dict(weights, assign=True)
    module.requires_grad_(requires_grad=False).eval()
    return Network(
        config,
        targets,
        scalers,
        arrays["latent/center"],
        arrays["latent/spread"],
        arrays["latent/noise_scale"],
        arrays["latent/noise_limits"],
        module,
        Whitening(**_under(arrays, "whitening")),
    )


def _under(arrays: Arrays, part: str) -> Arrays:
    prefix = f"{part}/"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }

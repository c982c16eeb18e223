"""Curves on disk, finished and begun: an interrupted replay goes on where it was.

A curve is named by the digest of everything that it depends on: pool, sizes, arm, seed.
Whoever asks for one more strategy or one more seed pays for that alone.
"""

import hashlib
import json
import math
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from al_service.features.preparation import SPECTRUM
from al_service.features.scan.scanning import SCAN_VERSION
from al_service.studies.campaign import Begun, Curve, Point
from al_service.studies.settings import ReplaySettings
from al_service.survey.atomic_folder import MANIFEST

_FORM: Final = 1
"""Of the files: another one is not read."""

_BEGUN: Final = ".begun"
"""Ending of the files of curves that are not finished."""


class KeptCurves:
    """The curves of one pool and one replay's sizes."""

    def __init__(self, folder: Path, settings: ReplaySettings, pool: Path) -> None:
        """Open the folder; nothing is written before a curve is kept.

        Args:
            folder: of curves of any replays.
            settings: of this one.
            pool: folder of its pool.
        """
        self._folder = folder
        self._settings = settings
        self._pool = hashlib.sha256((pool / MANIFEST).read_bytes()).hexdigest()
        # Networks that look at spectra are told what the scan finds in them.
        self._scan = {"scan": SCAN_VERSION} if (pool / SPECTRUM).is_dir() else {}

    def find(self, arm: str, seed: int) -> Curve | None:
        """The curve of an arm and a seed; None where it is to be computed."""
        stored = _read(self._path(arm, seed))
        return None if stored is None else Curve(**stored)

    def find_begun(self, arm: str, seed: int) -> Begun | None:
        """The curve as far as it is; None where nobody has begun it."""
        stored = _read(self._path(arm, seed).with_suffix(_BEGUN))
        if stored is None:
            return None
        weights = stored.pop("weights")
        return Begun(
            **stored | {"seconds": tuple(stored["seconds"])},
            weights=None if weights is None else tuple(weights),
        )

    def keep(self, curve: Curve) -> None:
        """Write a finished curve."""
        path = self._path(curve.arm, curve.seed)
        _write(path, asdict(curve))
        path.with_suffix(_BEGUN).unlink(missing_ok=True)

    def keep_begun(self, begun: Begun) -> None:
        """Write a curve as far as it is."""
        path = self._path(begun.arm, begun.seed)
        _write(path.with_suffix(_BEGUN), asdict(begun))

    def _path(self, arm: str, seed: int) -> Path:
        sizes = self._settings.model_dump(
            mode="json",
            exclude={
                "strategies",
                "seeds",
                "first_seed",
                "processes",
                "model",
                "wrong_labels",
                "junk",
            },
        )
        # Named only where there is something: curves of clean replays keep their names.
        spoiled = self._settings.spoiled
        facts = {
            "form": _FORM,
            "version": version("al-service"),
            "pool": self._pool,
            "sizes": sizes,
            "name": arm,
            "arm": self._settings.arm(arm).as_json(),
            "seed": seed,
            **self._scan,
            **({"spoiled": spoiled} if spoiled else {}),
        }
        text = json.dumps(facts, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"


def _read(path: Path) -> dict[str, Any] | None:  # Any: JSON
    try:
        stored: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    points = tuple(_point(point) for point in stored["points"])
    return stored | {"points": points, "chosen": tuple(stored["chosen"])}


def _write(path: Path, facts: dict[str, Any]) -> None:  # Any: JSON
    """Write a file; it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(_without_nan(facts)))
    partial.replace(path)


def _point(stored: dict[str, Any]) -> Point:  # Any: JSON
    return Point(
        stored["n_labels"],
        _numbers(stored["metrics"]),
        {name: _numbers(test) for name, test in stored["tests"].items()},
    )


def _numbers(metrics: dict[str, Any]) -> dict[str, dict[str, float]]:  # Any: JSON
    return {
        target: {
            name: math.nan if value is None else value for name, value in of.items()
        }
        for target, of in metrics.items()
    }


def _without_nan(value: Any) -> Any:  # Any: JSON, null where a number is none
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

"""Fitted systems in files, without pickle: JSON, safetensors and skops."""

import json
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import skops.io
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from al_service.errors import InvalidInput

FACTS: Final = "facts.json"
ESTIMATORS: Final = "estimators.skops"
TENSORS: Final = "tensors.safetensors"

_OURS: Final = ["sklearn.tree._tree.Tree"]
"""Types of scikit-learn that skops does not know to be harmless: plain arrays."""

_BOOSTED: Final = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def write_facts(folder: Path, facts: dict[str, Any]) -> None:  # Any: JSON
    """Write what JSON can say."""
    (folder / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def read_facts(folder: Path, *names: str) -> dict[str, Any]:  # Any: as above
    """What `write_facts` wrote.

    Args:
        folder: where.
        names: of facts that must be there.

    Raises:
        InvalidInput: The file is gone or damaged, or another one.
    """
    path = folder / FACTS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict):
            raise ValueError(f"expected an object, found {type(facts).__name__}")
        missing = [name for name in names if name not in facts]
        if missing:
            raise ValueError(f"expected {', '.join(missing)}, found none")
    except (FileNotFoundError, ValueError) as error:
        raise damaged(path, error) from error
    return facts


def damaged(path: Path, error: Exception) -> InvalidInput:
    """Say which file of a trial or model cannot be read, and what to do about it."""
    return InvalidInput(
        f"{path}: expected a file of a finished trial or model, found it gone or "
        f"damaged ({error}): remove the folder of that trial or model, it is made anew"
    )


def write_estimators(folder: Path, parts: dict[str, Any]) -> None:  # Any: scikit-learn
    """Write estimators of scikit-learn and arrays."""
    skops.io.dump(parts, folder / ESTIMATORS)


def read_estimators(folder: Path) -> dict[str, Any]:  # Any: as above
    """What `write_estimators` wrote; a file that holds other types is refused."""
    path = folder / ESTIMATORS
    try:
        found = skops.io.get_untrusted_types(file=path)
    except (FileNotFoundError, BadZipFile) as error:
        raise damaged(path, error) from error
    strange = set(found) - {*_OURS, *_BOOSTED}
    if strange:
        raise InvalidInput(f"{path}: expected regressions, found {sorted(strange)}")
    parts: dict[str, Any] = skops.io.load(path, trusted=[*_OURS, *_BOOSTED])
    return parts


def write_tensors(folder: Path, arrays: dict[str, Any]) -> None:  # Any: NumPy arrays
    """Write arrays by name."""
    save_file(arrays, folder / TENSORS)


def read_tensors(folder: Path) -> dict[str, Any]:  # Any: as above
    """What `write_tensors` wrote."""
    path = folder / TENSORS
    try:
        arrays: dict[str, Any] = load_file(path)
    except (FileNotFoundError, SafetensorError) as error:
        raise damaged(path, error) from error
    return arrays

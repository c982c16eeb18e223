"""Every notebook runs from its first cell to its last, on a small survey."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"

SMALL = {
    "experiment": """
N_OBJECTS = 100
EFFORT = Effort(folds=2, candidates=1, trees=4, epochs=1, column_epochs=1,
                min_steps=2, draws=2, members=2)
SYSTEMS = ("marginal", "linear_image", "dual_stream_concat")
""",
    "bayesian_cnn": """
N_OBJECTS = 100
CONFIG = ModelConfig(modalities=("image",), dim=16, members=2, hidden=16,
                     embedding=8, pixel_epochs=1, min_steps=2)
""",
    "replay": """
SETTINGS = ReplaySettings(pool="sdss10k", strategies=("default",), seeds=1, initial=20,
                          batch=10, rounds=1, test_size=100, processes=1,
                          model=ModelConfig(dim=16, members=2, hidden=16, epochs=1,
                                            min_steps=5))
""",
}
"""Notebook to its parameters for a test: everything runs, nothing is learned."""


@pytest.mark.parametrize(
    "path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda p: p.stem
)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # theirs
    (given,) = [
        cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    ]
    given.source = SMALL[path.stem]

    client = NotebookClient(
        notebook, timeout=500, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()

    said = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert any(
        "image/png" in output.get("data", {}) for outputs in said for output in outputs
    )


def test_every_notebook_has_parameters_for_its_test() -> None:
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(SMALL)

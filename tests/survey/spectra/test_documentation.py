"""The examples of docs/spectra.md run."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from tests.survey.spectra.files import N_PIXELS, coadd_columns, write_spec

GUIDE = Path(__file__).parents[3] / "docs" / "spectra.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), flags=re.DOTALL)


def run(example: str, folder: Path, **given: object) -> dict[str, object]:
    program = folder / "example.py"
    program.write_text(example, encoding="utf-8")
    return runpy.run_path(str(program), init_globals=given)


def test_a_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spectra").mkdir()
    write_spec(tmp_path / "spectra" / "spec-0266-51630-0031.fits")
    monkeypatch.chdir(tmp_path)
    run(EXAMPLES[0], tmp_path)
    assert capsys.readouterr().out.startswith("0266-51630-0031 GALAXY 0.1")


def test_arrays_are_scanned(tmp_path: Path) -> None:
    flux = np.zeros((1, 4620), dtype=np.float32)
    flux[0, :N_PIXELS] = coadd_columns()["flux"]
    done = run(EXAMPLES[1], tmp_path, flux=flux, ivar=np.ones_like(flux))
    assert "result" in done

"""`al pool import` scans spectra, and `al pool scan` what was postponed."""

from pathlib import Path

from tests.cli.commands import Commands
from tests.real_spectra import DATA, needs_real_spectra

pytestmark = needs_real_spectra


def test_an_import_scans_its_spectra_unless_that_is_postponed(
    tmp_path: Path,
) -> None:
    al = Commands(tmp_path / "home")
    files = ["--spectra", DATA / "spectra", "--rejected", tmp_path / "rejected.csv"]
    al.json("pool", "import", "later", *files, "--no-scan")
    al.json("pool", "import", "now", *files)
    found = {one["name"]: one["scan"] for one in al.json("pool", "list")["items"]}
    assert found["later"] is None
    assert found["now"]["state"] == "done"
    assert found["sdss10k"] is None

    scanned = al.json("pool", "scan", "later")

    assert scanned["scan"]["state"] == "done"
    assert al.json("pool", "scan", "sdss10k") == {"name": "sdss10k", "scan": None}

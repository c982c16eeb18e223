"""Settings are checked, and one can be changed without repeating the others."""

import re
from pathlib import Path

import pytest

from al_service.errors import InvalidInput
from al_service.survey.simulation.settings import (
    DEFAULT_FILE,
    default_settings,
    read_settings,
)


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[gaps]\njunk = 0.5\n")
    changed = read_settings(tmp_path / "own.toml")
    assert changed.gaps.junk == 0.5
    assert changed.gaps.without_image == default_settings().gaps.without_image
    assert changed.spectra == default_settings().spectra


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gaps]\njunk = 1.5\n", r"settings: gaps\.junk: .* equal to 1, found 1\.5$"),
        ("[gaps]\njunks = 0.5\n", "junks"),
        ("[gap]\njunk = 0.5\n", "expected a section"),
        ("gaps = 3\n", "expected a section"),
        ("[gaps\n", "expected TOML"),
        ("[star_formation]\ncolor = [1.0, 2.0]\n", "as many rates as colors"),
        ("[images]\nsky_noise = [-1, 1, 1, 1, 1]\n", r"images\.sky_noise\.0: .* -1$"),
        ("[images]\nseeing = [1, 1, 1, 1, 0]\n", r"images\.seeing\.4: .* found 0$"),
        ("[spectra]\nsky_noise = [0.5, 0]\n", r"spectra\.sky_noise\.1: .* found 0$"),
        ("[spectra]\nwavelength = [4000.0, 5000.0]\n", "as many sdss_noise"),
        ("[spectra]\nstructure = [0.1]\n", "as many structure_pixels as structure"),
        ("[spectra]\nsdss_pixels = [4108, 275]\n", "found 4108 and 275"),
        ("[spectra]\nboss_pixels = [8, 4620]\n", "of 4620 pixels, found 8 and 4620"),
        ("[spectra]\nfaint_lowest = 9.0\n", "faint_limit = 5.0, found 9.0"),
        ("version = 1\n", "expected settings of version 2, found 1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(InvalidInput, match=said):
        read_settings(tmp_path / "own.toml")


def test_every_setting_has_its_comment() -> None:
    lines = DEFAULT_FILE.read_text().splitlines()
    explained = False
    for line in lines:
        if re.match(r"[a-z_]+ = ", line):
            assert explained, f"{line}: no comment above"
        elif line.startswith("#"):
            explained = True
        elif line.startswith("[") or not line:
            explained = False

"""Whatever happens to a file on its way, it is read or refused, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_service.survey.spectra import BadSpectrum, Spectrum, read_spectra
from tests.survey.spectra.files import write_spec

HEADERS = 2880 * 4
"""Bytes from the start that hold headers: damage there does most."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_spec(tmp_path_factory.mktemp("fuzz") / "spec-1.fits")


def read_or_refuse(path: Path) -> list[Spectrum]:
    """What can be read of a file; any other error than ours is a crash."""
    try:
        return list(read_spectra(path))
    except BadSpectrum:
        return []


damage = st.lists(
    st.tuples(st.integers(0, HEADERS), st.integers(0, 255)), min_size=1, max_size=12
)


@given(damage=damage, cut=st.integers(0, 40_000))
@settings(max_examples=80, deadline=None)
def test_a_damaged_file_of_one_fiber_is_read_or_refused(
    original: Path,
    damage: list[tuple[int, int]],
    cut: int,
) -> None:
    raw = bytearray(original.read_bytes())
    for place, value in damage:
        raw[place] = value
    path = original.with_name("spec-damaged.fits")
    path.write_bytes(raw[: len(raw) - cut] if cut % 2 else raw)
    for spectrum in read_or_refuse(path):
        assert np.isfinite(spectrum.flux).all()
        assert np.isfinite(spectrum.ivar).all()


@given(
    number=st.sampled_from(
        ["NAXIS1", "NAXIS2", "TFIELDS", "TFORM1", "TZERO1", "PCOUNT"]
    ),
    value=st.one_of(
        st.integers(-(10**12), 10**12).map(str),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    ),
)
@settings(max_examples=80, deadline=None)
def test_any_value_of_a_keyword_is_understood_or_refused(
    original: Path,
    number: str,
    value: str,
) -> None:
    raw = original.read_bytes()
    card = f"{number:<8}= {value:>20}".ljust(80)[:80].encode("ascii")
    start = raw.index(b"XTENSION")
    at = raw.find(f"{number:<8}=".encode(), start)
    if at < 0:
        at = raw.index(b"EXTNAME ", start)
    path = original.with_name("spec-keyword.fits")
    path.write_bytes(raw[:at] + card + raw[at + 80 :])
    read_or_refuse(path)

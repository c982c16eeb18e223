import bz2
import hashlib
from pathlib import Path

import pytest

from al_service.fetch import wholeness
from al_service.fetch.checksums import read_sums
from al_service.fetch.problems import NotWhole
from al_service.fetch.wholeness import verify
from tests.fetch.stock import frame_bytes


def check(folder: Path, body: bytes, *, name: str, sha1: str | None = None) -> str:
    path = folder / "some.part"
    path.write_bytes(body)
    return verify(path, name=name, sha1=sha1)


def test_every_real_spectrum_is_whole_and_every_shortened_one_is_not(
    spectra: list[Path], tmp_path: Path
) -> None:
    for path in spectra:
        body = path.read_bytes()
        digest = check(tmp_path, body, name=path.name)
        assert digest == hashlib.sha256(body).hexdigest()
        for size in (0, 1, 2879, 2880, 100_000, len(body) - 2880, len(body) - 1):
            with pytest.raises(NotWhole, match=path.name):
                check(tmp_path, body[:size], name=path.name)


def test_something_after_the_end_is_not_whole(
    spectra: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(NotWhole):
        check(tmp_path, spectra[0].read_bytes() + b"more", name="spec.fits")


def test_a_published_checksum_decides(spectra: list[Path], tmp_path: Path) -> None:
    body = spectra[0].read_bytes()
    sha1 = hashlib.sha1(body, usedforsecurity=False).hexdigest()

    check(tmp_path, body, name="spec.fits", sha1=sha1)
    with pytest.raises(NotWhole, match=f"expected sha1 {'0' * 40}, found {sha1}"):
        check(tmp_path, body, name="spec.fits", sha1="0" * 40)


def test_a_frame_is_whole_when_its_blocks_are(tmp_path: Path) -> None:
    body = frame_bytes(1)

    check(tmp_path, body, name="frame.fits.bz2")
    for spoiled in (body[:-10], body[:100] + b"!" + body[101:], b"<html>", b""):
        with pytest.raises(NotWhole, match=r"frame\.fits\.bz2"):
            check(tmp_path, spoiled, name="frame.fits.bz2")


def test_a_bomb_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholeness, "LARGEST_UNPACKED", 10_000)

    with pytest.raises(NotWhole, match="at most 10000 bytes unpacked"):
        check(tmp_path, bz2.compress(bytes(10**7)), name="frame.fits.bz2")


def test_checksum_files_are_read_as_sha1sum_writes_them() -> None:
    one, two = "a" * 40, "B" * 40
    text = f"# comment\n{one}  spec-1.fits\n{two} *lite/0266/spec-2.fits\n\nshort x\n"

    assert read_sums(text) == {"spec-1.fits": one, "spec-2.fits": two.lower()}

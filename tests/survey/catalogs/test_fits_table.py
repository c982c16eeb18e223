"""Headers of FITS tables that a bad disk has touched."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from al_service.errors import UnreadableFile
from al_service.survey.catalogs.fits_table import FitsTable


def written(path: Path, before: bytes, after: bytes) -> Path:
    """A table of two columns, some bytes of its header exchanged."""
    Table({"ra": np.arange(3.0), "dec": np.arange(3.0)}).write(path, format="fits")
    content = path.read_bytes()
    assert content.count(before) == 1
    path.write_bytes(content.replace(before, after))
    return path


def test_a_column_that_has_lost_its_name_is_refused_by_its_number(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "table.fits", b"TTYPE2  =", b"XTYPE2  =")

    with pytest.raises(UnreadableFile, match=r"HDU 1: expected a name .*TTYPE2"):
        FitsTable(path, shown=path)


def test_a_byte_that_is_no_letter_outside_of_keywords_is_read_over(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "table.fits", b"conforms to", b"conf\x80rms to")
    table = FitsTable(path, shown=path)

    (chunk,) = table.chunks(["ra"])

    np.testing.assert_array_equal(chunk.cells("ra"), np.arange(3.0))

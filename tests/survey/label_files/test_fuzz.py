"""Whatever bytes a label file consists of, it is read or refused; never a crash."""

from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from al_service.cli.label_file import is_csv, read_label_table, read_labels
from al_service.errors import ALServiceError
from al_service.survey.label_files import reading
from al_service.survey.label_files.file_label import LabelFormat
from tests.survey.damage import Damage, damaged, damages, examples
from tests.survey.label_files.files import WRITERS, info

EXAMPLES = 30
"""For each kind: a few seconds."""

PIECES = (b",", b'"', b"\n", b"\r", b"\0", b"-9999", b"1e999", b"nan", b"\xff", b"#")
"""What means something in some format."""

CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["", "-9999", "4", "inf", "1e400", "1_000", "0x10", "٣"]),
)
"""Cells of text tables, sensible and not."""

COLUMNS = {
    LabelFormat.OWN: ("object_id", "z", "quality", "labeler"),
    LabelFormat.MPA_JHU: ("AVG", "MEDIAN", "P16", "P84", "P2P5"),
    LabelFormat.GALSPEC: ("specobjid", "sfr_tot_p50", "sfr_tot_p16", "z", "zerr"),
    LabelFormat.SPECOBJ: ("plate", "mjd", "fiberid", "z", "zwarning", "reliable"),
    LabelFormat.REDROCK: ("targetid", "z", "zwarn", "target_ra", "target_dec"),
    LabelFormat.MARZ: ("Name", "FinZ", "QOP", "RA", "DEC"),
    LabelFormat.DESI_VI: ("targetid", "vi_quality", "vi_z", "redrock_z", "vi_scanner"),
}


@cache
def good(kind: LabelFormat) -> bytes:
    """A small good file."""
    with TemporaryDirectory() as folder:
        WRITERS[kind](Path(folder) / "labels")
        return (Path(folder) / "labels").read_bytes()


def read_all(content: bytes, kind: LabelFormat) -> None:
    """Read bytes as labels, told apart or told; every refusal is an answer."""
    with TemporaryDirectory() as folder:
        path, names = Path(folder) / "labels", Path(folder) / "info.fits"
        path.write_bytes(content)
        info().write(names)
        with suppress(ALServiceError):
            kind = reading.sniff(path)
        with suppress(ALServiceError):
            if kind is not LabelFormat.OWN:
                for label in reading.read_labels(path, kind, info=names):
                    assert 0 <= label.quality <= 4
            elif is_csv(path):
                with path.open(newline="", encoding="utf-8-sig") as lines:
                    read_labels(lines, path)
            else:
                read_label_table(path)


@pytest.mark.parametrize("kind", WRITERS)
@examples(EXAMPLES)
@given(damage=damages(*PIECES, longest=30, most_lost=40))
def test_a_damaged_label_file_is_read_or_refused(
    kind: LabelFormat, damage: Damage
) -> None:
    read_all(damaged(good(kind), damage), kind)


@pytest.mark.parametrize("kind", LabelFormat)
@examples(EXAMPLES)
@given(rows=st.lists(st.lists(CELLS, min_size=6, max_size=6), max_size=4))
def test_cells_of_any_kind_are_read_or_refused(
    kind: LabelFormat, rows: list[list[object]]
) -> None:
    names = COLUMNS[kind]
    lines = [",".join("" if c is None else str(c) for c in row) for row in rows]
    start = "#" if kind is LabelFormat.MARZ else ""
    text = "\n".join([start + ",".join(names), *lines])
    read_all(text.encode("utf-8", "surrogatepass"), kind)
    short = [",".join(line.split(",")[: len(names)]) for line in lines]
    text = "\n".join([start + ",".join(names), *short])
    read_all(text.encode("utf-8", "surrogatepass"), kind)


def read_table(path: Path, kind: LabelFormat) -> None:
    """Read a FITS table of labels."""
    if kind is LabelFormat.OWN:
        read_label_table(path)
    else:
        list(reading.read_labels(path, kind, info=path.with_name("info.fits")))


@pytest.mark.parametrize("kind", COLUMNS)
def test_columns_of_vectors_are_refused_by_name(
    kind: LabelFormat, tmp_path: Path
) -> None:
    if kind is LabelFormat.MARZ:
        pytest.skip("Marz results are text")
    table = Table({name: [[1.0, 2.0], [3.0, 4.0]] for name in COLUMNS[kind]})
    if kind is LabelFormat.MPA_JHU:
        for name in ("AVG", "MODE", "ENTROPY", "P97P5"):
            table[name] = [[1.0, 2.0], [3.0, 4.0]]
        info()[:2].write(tmp_path / "info.fits")
    table.write(tmp_path / "labels", format="fits")
    with pytest.raises(ALServiceError, match=r"column \w+: expected one value per row"):
        read_table(tmp_path / "labels", kind)

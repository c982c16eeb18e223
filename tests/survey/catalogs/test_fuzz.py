"""Whatever bytes a table consists of, a reader answers or refuses; it never crashes."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from al_service.errors import ALServiceError
from al_service.survey.catalogs.catalog import open_catalog
from al_service.survey.catalogs.column_map import read_declaration
from tests.survey.catalogs.tables import WRITERS, galaxies
from tests.survey.damage import Damage, damaged, damages, examples

EXAMPLES = 60
"""For each format: a few seconds."""

PIECES = (
    b",",
    b'"',
    b"\n",
    b"\0",
    b"-9999",
    b"1e999",
    b"<TD/>",
    b"</TR>",
    b"<!--",
    b"NAXIS2  =                   -1",
    b"TFORM1  = '9999999999E'",
    b"\xff\xfe",
    b"# %ECSV 1.0",
)
"""What means something in some format."""


@cache
def good(kind: str) -> bytes:
    """A small good catalog."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "catalog"
        WRITERS[kind](galaxies(5), path)
        return path.read_bytes()


def read_all(content: bytes, declared: str | None = None) -> None:
    """Read bytes as a catalog; every refusal is an answer."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "catalog"
        path.write_bytes(content)
        with (
            suppress(ALServiceError),
            open_catalog(path, read_declaration(declared)) as catalog,
        ):
            for part in catalog.parts():
                assert len(part.object_ids) == len(part.photometry)


@pytest.mark.parametrize("kind", WRITERS)
@examples(EXAMPLES)
@given(damage=damages(*PIECES, longest=40, most_lost=60))
def test_a_damaged_table_is_read_or_refused(kind: str, damage: Damage) -> None:
    read_all(damaged(good(kind), damage))


@examples(EXAMPLES)
@given(content=st.binary(max_size=3000))
def test_noise_is_no_table(content: bytes) -> None:
    read_all(content)


@examples(EXAMPLES)
@given(
    rows=st.lists(st.lists(st.text(max_size=8), min_size=3, max_size=3), max_size=8),
    names=st.lists(st.text(max_size=8), min_size=3, max_size=3),
)
def test_text_of_any_kind_is_read_or_refused(
    rows: list[list[str]], names: list[str]
) -> None:
    lines = [",".join(cells) for cells in [names, ["object_id", "ra", "dec"], *rows]]
    read_all("\n".join(lines).encode("utf-8", "surrogatepass"))
    read_all("\n".join(lines[1:]).encode("utf-8", "surrogatepass"))


ODD_COLUMNS: dict[str, Callable[[int], pa.Array]] = {
    "dates": lambda n: pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * n),
    "categories": lambda n: pa.array([f"{k}" for k in range(n)]).dictionary_encode(),
    "decimals": lambda n: pa.array([Decimal("1.5")] * n),
    "bytes": lambda n: pa.array([b"1", *[b"\xff"] * (n - 1)]),
    "structures": lambda n: pa.array([{"a": 1}] * n),
    "lists": lambda n: pa.array([[1.0] * k for k in range(n)]),
    "lists of texts": lambda n: pa.array([["a"] * 5] * n),
    "nothing": pa.nulls,
    "booleans": lambda n: pa.array([True] * n),
    "unsigned": lambda n: pa.array([2**64 - 1] * n, pa.uint64()),
}
"""What programs write into Parquet where a number or a text should be."""

KEYS = ["objid", "ra", "modelMag_g", "modelMagErr_g", "extinction_u", "z", "zErr"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("kind", ODD_COLUMNS)
def test_a_column_of_any_type_is_read_or_refused(kind: str, key: str) -> None:
    table = galaxies(5)
    columns = {name: pa.array(table[name].tolist()) for name in table.colnames}
    columns[key] = ODD_COLUMNS[kind](5)
    with TemporaryDirectory() as folder:
        pq.write_table(pa.table(columns), Path(folder) / "catalog")
        read_all((Path(folder) / "catalog").read_bytes())


@pytest.mark.parametrize("key", KEYS)
def test_a_column_of_vectors_is_refused_by_name(tmp_path: Path, key: str) -> None:
    table = galaxies(5)
    table[key] = [[1.0, 2.0]] * 5
    table.write(tmp_path / "catalog", format="fits")
    with (
        pytest.raises(ALServiceError, match=f"column {key}: expected one value"),
        open_catalog(tmp_path / "catalog", {}) as catalog,
    ):
        list(catalog.parts())


def test_a_table_of_vectors_of_vectors_is_refused(tmp_path: Path) -> None:
    table = Table(galaxies(5)["objid", "ra", "dec"])
    table["MODELFLUX"] = [[[1.0] * 5] * 2] * 5
    table.write(tmp_path / "catalog", format="fits")
    with (
        pytest.raises(ALServiceError, match="one value per row, found 2 x 5 of them"),
        open_catalog(tmp_path / "catalog", {}) as catalog,
    ):
        list(catalog.parts())

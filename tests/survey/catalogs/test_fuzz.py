"""Whatever bytes a table consists of, a reader answers or refuses; it never crashes."""

from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from al_service.errors import ALServiceError
from al_service.survey.catalogs.catalog import open_catalog
from al_service.survey.catalogs.column_map import read_declaration
from tests.survey.catalogs.tables import WRITERS, galaxies

EXAMPLES = 60
"""For each format: a few seconds."""

PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
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
        ]
    ),
)
"""What a file is damaged with: noise, and what means something in some format."""

DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), PIECES), min_size=1, max_size=4
)
"""Where, how many bytes are lost, and what stands there instead."""


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
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(damage=DAMAGE)
def test_a_damaged_table_is_read_or_refused(
    kind: str, damage: list[tuple[float, int, bytes]]
) -> None:
    content = good(kind)
    for where, lost, piece in damage:
        place = int(where * len(content))
        content = content[:place] + piece + content[place + lost :]
    read_all(content)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(content=st.binary(max_size=3000))
def test_noise_is_no_table(content: bytes) -> None:
    read_all(content)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
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

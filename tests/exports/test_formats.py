"""Every format is read back by astropy as it was written."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import parse
from astropy.io.votable.ucd import parse_ucd
from astropy.units import Unit as AstropyUnit

from al_service.exports.columns import (
    Block,
    Column,
    Fact,
    Heading,
    Kind,
    Unit,
    WrongRowCount,
    widths_of,
)
from al_service.exports.formats import TableFormat, write_table
from al_service.exports.label_table import label_table_columns
from al_service.exports.target_list import target_list_columns
from al_service.survey.targets import DEFAULT_TARGETS
from tests.exports.tables import plain, read

COLUMNS = (
    Column("object_id", Kind.TEXT, "name", "meta.id;meta.main"),
    Column("ra", Kind.NUMBER, "right ascension", "pos.eq.ra;meta.main", Unit.DEGREE),
    Column("dec", Kind.NUMBER, "declination", "pos.eq.dec;meta.main", Unit.DEGREE),
    Column("sfr_avg", Kind.NUMBER, "log SFR", "phys.SFR;stat.mean", Unit.LOG_SFR),
    Column("quality", Kind.SHORT, "0 to 4", "meta.code.qual"),
    Column("note", Kind.TEXT, 'says "a" & <b>', "meta.note", handwritten=True),
    Column("batch_id", Kind.WHOLE, "batch", "meta.id.parent"),
    Column("late", Kind.FLAG, "late", "meta.code.status"),
)

BLOCK: Block = (
    ["1237648720693755918", "1237648720693755919", "#3", "SDSS J1+2", "5"],
    [0.1 + 0.2, 359.99999999999994, 180.0, 1e-12, 5.0],
    [-90.0, 36.1 / 3, 0.0, -1e-300, 5.0],
    [-1.2345678901234567, None, 0.0, 2.0, None],
    [4, 0, 3, 1, 2],
    ['a "quoted", é, 銀河\nnext\tline; <&>', None, "=cmd()", "'=x", "one\n# two\n\n3"],
    [2**53 + 1, None, 7, None, 1],
    [True, False, False, True, False],
)

FACTS = (
    Fact("campaign", "first & <only>", "its name", "ALCAMP"),
    Fact("campaign_seed", 2**40, "of all that is drawn", "ALCSEED"),
    Fact("strategy_config", "{" + "x" * 200 + "é}", "in full", "ALSTRCFG"),
    Fact("random_share", 0.1, "of random objects", "ALRANDOM"),
    Fact("current_only", True, "whether", "ALCURR"),
)


def heading_of(block: Block = BLOCK, n_rows: int | None = None) -> Heading:
    return Heading(
        "labels of first",
        "What was measured",
        COLUMNS,
        FACTS,
        len(block[0]) if n_rows is None else n_rows,
        widths_of(COLUMNS, block),
    )


def expected(kind: TableFormat, name: str) -> list[object]:
    cells: list[object] = list(BLOCK[[column.name for column in COLUMNS].index(name)])
    if kind is TableFormat.CSV and name == "note":
        cells[2], cells[3] = "'=cmd()", "''=x"
        cells[4] = "one\n# two\n3"  # astropy drops empty lines
    if kind is TableFormat.CSV and name == "late":
        return [str(cell) for cell in cells]  # CSV has no truth values
    if kind is TableFormat.ECSV and name == "note":
        cells[4] = "one # two\n3"  # such lines cannot be kept
    return cells


@pytest.mark.parametrize("kind", TableFormat)
def test_astropy_reads_what_was_written(kind: TableFormat, tmp_path: Path) -> None:
    table = read(write_table(kind, heading_of(), [BLOCK]), kind, tmp_path)

    assert table.colnames == [column.name for column in COLUMNS]
    for name in table.colnames:
        found, wanted = plain(table[name]), expected(kind, name)
        if kind is TableFormat.PARQUET and name == "batch_id":
            wanted[0] = float(2**53)  # astropy reads gaps in whole numbers as NaN
        assert found == wanted, name
    assert all(isinstance(name, str) for name in table["object_id"])


@pytest.mark.parametrize("kind", [one for one in TableFormat if one != "csv"])
def test_units_are_units_wherever_the_format_has_them(
    kind: TableFormat, tmp_path: Path
) -> None:
    table = read(write_table(kind, heading_of(), [BLOCK]), kind, tmp_path)

    assert table["ra"].unit == table["dec"].unit == AstropyUnit("deg")
    assert table["quality"].unit is None
    if kind is TableFormat.FITS:
        assert str(table["sfr_avg"].unit) == "log(solMass/yr)"
    else:
        assert table["sfr_avg"].unit == AstropyUnit("dex(solMass/yr)")


@pytest.mark.parametrize("kind", [TableFormat.ECSV, TableFormat.PARQUET])
def test_the_header_for_astropy_has_ucds_descriptions_and_facts(
    kind: TableFormat, tmp_path: Path
) -> None:
    table = read(write_table(kind, heading_of(), [BLOCK]), kind, tmp_path)

    for column in COLUMNS:
        assert table[column.name].description == column.description
        assert table[column.name].meta["ucd"] == column.ucd
    assert {name: table.meta[name] for name in (fact.name for fact in FACTS)} == {
        fact.name: fact.value for fact in FACTS
    }


def test_a_votable_has_its_coordinate_system_ucds_and_parameters(
    tmp_path: Path,
) -> None:
    path = tmp_path / "table.vot"
    path.write_bytes(b"".join(write_table(TableFormat.VOTABLE, heading_of(), [BLOCK])))

    (resource,) = parse(path, verify="exception").resources

    (system,) = resource.coordinate_systems
    table = resource.tables[0]
    assert (system.ID, system.system) == ("icrs", "ICRS")
    assert [field.ref for field in table.fields[1:3]] == ["icrs", "icrs"]
    assert [field.ucd for field in table.fields] == [one.ucd for one in COLUMNS]
    assert [field.description for field in table.fields] == [
        one.description for one in COLUMNS
    ]
    assert {one.name: one.value for one in resource.params} == {
        fact.name: fact.value for fact in FACTS
    }
    assert table.nrows == len(BLOCK[0])


def test_a_fits_file_is_legal_and_says_everything_in_its_header(tmp_path: Path) -> None:
    path = tmp_path / "table.fits"
    path.write_bytes(b"".join(write_table(TableFormat.FITS, heading_of(), [BLOCK])))

    with fits.open(path) as hdus:
        hdus.verify("exception")
        header = hdus[1].header
        assert path.stat().st_size % 2880 == 0
        for number, column in enumerate(COLUMNS, 1):
            assert header[f"TUCD{number}"] == column.ucd
            assert header[f"TCOMM{number}"] == column.description
        assert header["RADESYS"] == "ICRS"
        assert header["ALCSEED"] == 2**40
        assert header["ALCURR"] is True
        assert header["ALSTRCFG"] == "{" + "x" * 200 + "\\xe9}"
        assert header.comments["ALCAMP"] == "its name"


def test_parquet_has_nulls_units_and_ucds_for_everybody_else(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(b"".join(write_table(TableFormat.PARQUET, heading_of(), [BLOCK])))

    table = pq.read_table(path)

    assert table["batch_id"].to_pylist() == list(BLOCK[6])
    assert table["sfr_avg"].null_count == 2
    assert table.schema.field("ra").metadata[b"unit"] == b"deg"
    assert table.schema.field("ra").metadata[b"ucd"] == b"pos.eq.ra;meta.main"


@pytest.mark.parametrize("kind", TableFormat)
def test_a_table_without_rows_is_a_table(kind: TableFormat, tmp_path: Path) -> None:
    heading = heading_of([[] for _ in COLUMNS])

    table = read(write_table(kind, heading, []), kind, tmp_path)

    assert len(table) == 0
    assert table.colnames == [column.name for column in COLUMNS]


@pytest.mark.parametrize("kind", TableFormat)
def test_rows_that_were_not_announced_are_no_whole_file(kind: TableFormat) -> None:
    for n_rows in (4, 6):
        with pytest.raises(WrongRowCount, match=f"expected {n_rows} rows, found 5"):
            list(write_table(kind, heading_of(n_rows=n_rows), [BLOCK]))


@pytest.mark.parametrize("kind", TableFormat)
def test_memory_does_not_grow_with_rows(kind: TableFormat) -> None:
    def blocks(n: int) -> Iterator[Block]:
        for _ in range(n):
            yield [list(cells) * 400 for cells in BLOCK]

    def peak(n: int) -> int:
        heading = heading_of(n_rows=n * 2000)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in write_table(kind, heading, blocks(n)):
            pass
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        few, many = peak(40), peak(160)
    finally:
        tracemalloc.stop()
    # Four times the rows; the footer of Parquet grows by some bytes a group.
    assert many < 1.5 * few + 2**20


def test_every_ucd_is_one_of_the_controlled_vocabulary() -> None:
    columns = label_table_columns(DEFAULT_TARGETS) + target_list_columns(
        DEFAULT_TARGETS
    )
    for column in columns:
        parse_ucd(column.ucd, check_controlled_vocabulary=True, has_colon=False)
        assert column.ucd
        assert column.description

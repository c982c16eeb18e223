import pytest

from al_service.fetch.answers import read_answer
from al_service.fetch.problems import NotWhole, RefusedQuery, RoundedIds
from al_service.fetch.sample import COLUMNS
from tests.fetch.stock import galaxy

GALAXIES = [galaxy(266, 51602, fiber, number=fiber) for fiber in range(1, 9)]
HEADER = ",".join(("drawn", *COLUMNS, "ends"))


def answer(*changed: tuple[str, str], rows: list[dict[str, str]] | None = None) -> str:
    galaxies = rows or [{**row, **dict(changed)} for row in GALAXIES]
    lines = [",".join(("5", *(row[c] for c in COLUMNS), "1")) for row in galaxies]
    return "\n".join(("#Table1", HEADER, *lines, ""))


def test_rows_come_back_as_they_were_written() -> None:
    rows = read_answer(answer())

    assert [row["specObjID"] for row in rows] == [g["specObjID"] for g in GALAXIES]
    assert rows[2].observation.name == "spec-0266-51602-0003"
    assert rows[2].field.run == 94
    assert rows[2].drawn == 5


def test_published_identifiers_say_plate_night_and_fiber() -> None:
    """Of SDSS-I (26) and of eBOSS (v5_13_2), as DR17 lists them."""
    for plate, mjd, fiber, identifier in (
        (266, 51630, 1, 299489677444933632),
        (10445, 58158, 427, 11760142036707334144),
    ):
        row = {**galaxy(plate, mjd, fiber, number=1), "specObjID": str(identifier)}
        assert read_answer(answer(rows=[row]))[0]["specObjID"] == str(identifier)


def test_headers_in_another_case_are_the_same_columns() -> None:
    assert len(read_answer(answer().replace(HEADER, HEADER.upper()))) == len(GALAXIES)


def test_a_table_without_rows_is_empty() -> None:
    assert read_answer(f"#Table1\n{HEADER}\n") == []
    assert read_answer("#Table1\nNo objects have been found\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "<html><head>\n<title>Skyserver Error</title>\n</head><body bgcolor=white>"
        "<h2>An error occured</h2><H3>Incorrect syntax near &#39;FRM&#39;</H3>"
        "</body></html>",
        "#Table1\nerror_message\nIncorrect syntax near 'FRM'\n",
        "ERROR: Incorrect syntax near 'FRM'\n",
        '[{"error": "Incorrect syntax near \'FRM\'"}]',
    ],
    ids=["page", "column", "line", "json"],
)
def test_every_way_of_saying_no_is_a_refusal_with_its_words(text: str) -> None:
    with pytest.raises(RefusedQuery, match="Incorrect syntax near 'FRM'"):
        read_answer(text)


def test_an_empty_answer_is_a_refusal() -> None:
    with pytest.raises(RefusedQuery, match="an empty answer"):
        read_answer("")


def test_an_answer_that_breaks_off_is_not_whole() -> None:
    text = answer().rstrip("\n")
    for lost in range(1, len(text) - text.rindex("\n") - 1):
        with pytest.raises(NotWhole):
            read_answer(text[:-lost])
    with pytest.raises(NotWhole, match="within its header"):
        read_answer(text[:200])
    with pytest.raises(NotWhole, match=r"row 9 .*expected \d+ values, found 3"):
        read_answer(text + "\n1,2,3\n")


def test_a_row_without_whole_numbers_is_refused_with_its_number() -> None:
    with pytest.raises(RefusedQuery, match=r"row 1 of SkyServer's answer.*'x26'"):
        read_answer(answer(("plate", "x26")))


@pytest.mark.parametrize("column", ["specObjID", "bestObjID"])
def test_an_identifier_in_floating_point_is_refused_with_advice(column: str) -> None:
    with pytest.raises(RoundedIds, match=rf"{column} .*CAST"):
        read_answer(answer((column, "2.99480905869142E+17")))


def test_a_rounded_spectrum_identifier_contradicts_its_plate() -> None:
    rounded = f"{int(GALAXIES[0]['specObjID']):.6g}"
    with pytest.raises(RoundedIds, match="spec-0266-51602-0001: specObjID"):
        read_answer(answer(("specObjID", str(int(float(rounded))))))


@pytest.mark.parametrize("digits", [17, 15], ids=["float64", "15 digits"])
def test_object_identifiers_that_all_end_in_the_same_zeros_were_rounded(
    digits: int,
) -> None:
    rows = [
        {**g, "bestObjID": str(int(float(f"{float(g['bestObjID']):.{digits}g}")))}
        for g in GALAXIES
    ]
    with pytest.raises(RoundedIds, match="bestObjID"):
        read_answer(answer(rows=rows))

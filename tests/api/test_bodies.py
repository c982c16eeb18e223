"""What comes as a body and cannot be read is refused with what, and where."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.conftest import API, BODY_LIMIT, Door
from tests.api.test_errors import check_problem, where


def send(
    door: Door, campaign: str, content: bytes, content_type: str | None
) -> httpx.Response:
    headers = {} if content_type is None else {"Content-Type": content_type}
    place = f"{API}/campaigns/{campaign}/batches"
    return door.labeler.post(place, content=content, headers=headers)


def test_a_body_that_is_not_json_is_a_422(door: Door, campaign: str) -> None:
    answer = door.labeler.post(
        f"{API}/campaigns/{campaign}/batches",
        content=b'{"size": ',
        headers={"Content-Type": "application/json"},
    )
    check_problem(answer, 422, "invalid-request")


def test_a_body_that_is_not_utf_8_is_refused_with_its_first_bad_byte(
    door: Door, campaign: str
) -> None:
    """It was "There was an error parsing the body"."""
    answer = send(door, campaign, b'{"size": "\xff"}', "application/json")
    check_problem(answer, 422, "invalid-request")
    (problem,) = answer.json()["errors"]
    assert problem == {
        "where": "body",
        "message": "expected JSON in UTF-8, found the byte 0xff after 10 bytes",
    }


@pytest.mark.parametrize(
    ("content_type", "came"),
    [
        (None, "none"),
        ("text/plain", '"text/plain"'),
        (
            "application/x-www-form-urlencoded; charset=utf-8",
            '"application/x-www-form-urlencoded; charset=utf-8"',
        ),
    ],
)
def test_a_body_whose_header_does_not_say_json_is_refused_for_that(
    door: Door, campaign: str, content_type: str | None, came: str
) -> None:
    """It was "Input should be a valid dictionary", of a dictionary."""
    answer = send(door, campaign, b'{"size": 1}', content_type)
    check_problem(answer, 422, "invalid-request")
    (problem,) = answer.json()["errors"]
    assert problem == {
        "where": "header.Content-Type",
        "message": f"expected application/json, found {came}",
    }


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/al+json"]
)
def test_other_names_of_json_are_read(
    door: Door, campaign: str, content_type: str
) -> None:
    assert send(door, campaign, b'{"size": 1}', content_type).status_code == 201


def test_nul_and_lone_surrogates_are_refused_as_input_not_as_failures(
    door: Door, campaign: str
) -> None:
    for text in ("a\\u0000b", "\\ud800"):
        label = f'"object_id": "{text}", "note": "{text}", "values": {{"z": 0.1}}'
        answer = door.labeler.post(
            f"{API}/campaigns/{campaign}/labels",
            content=f'{{"labels": [{{{label}}}]}}'.encode(),
            headers={"Content-Type": "application/json"},
        )
        check_problem(answer, 422, "invalid-request")
        assert where(answer) == ["labels[0].object_id", "labels[0].note"]
    for path in ("campaigns/a%00b", "objects/a%00b"):
        check_problem(door.viewer.get(f"{API}/{path}"), 422, "invalid-request")


def test_an_oversized_body_is_a_413(door: Door, campaign: str) -> None:
    too_much = b" " * (BODY_LIMIT + 1)
    place = f"{API}/campaigns/{campaign}/labels"
    check_problem(door.labeler.post(place, content=too_much), 413)


def test_an_oversized_body_without_a_length_is_a_413(door: Door, campaign: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(BODY_LIMIT // 1000 + 5):
            yield b" " * 1000

    place = f"{API}/campaigns/{campaign}/labels"
    answer = door.labeler.post(
        place, content=pieces(), headers={"Content-Type": "application/json"}
    )
    check_problem(answer, 413)

"""HEAD is answered wherever GET is; a method that is not names those that are."""

import pytest

from tests.api.conftest import API, Door
from tests.api.test_errors import check_problem


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("campaigns", "PUT", "GET, HEAD, POST"),
        ("campaigns/{campaign}", "DELETE", "GET, HEAD, PATCH"),
        ("campaigns/{campaign}/batches", "HEAD", "POST"),
        ("campaigns/{campaign}/batches", "GET", "POST"),
        ("batches/1", "POST", "GET, HEAD, DELETE"),
    ],
)
def test_a_wrong_method_is_a_405_problem_that_names_the_right_ones(
    door: Door, campaign: str, path: str, method: str, allowed: str
) -> None:
    """The header named the methods of one route, and several share an address."""
    place = f"{API}/{path.format(campaign=campaign)}"
    answer = door.admin.request(method, place)
    assert answer.headers["allow"] == allowed
    if method == "HEAD":
        assert answer.status_code == 405
    else:
        check_problem(answer, 405)


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/docs", f"{API}/campaigns"])
def test_a_head_is_the_answer_of_get_without_its_body(door: Door, path: str) -> None:
    got, head = door.viewer.get(path), door.viewer.head(path)
    assert head.status_code == got.status_code == 200
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.content == b""
    # The connection is as good as before.
    assert door.viewer.get("/healthz").status_code == 200


def test_the_head_of_an_export_ends_before_its_rows(door: Door, campaign: str) -> None:
    place = f"{API}/campaigns/{campaign}/labels/export"
    for _ in range(9):  # more than may be sent at a time
        head = door.viewer.head(place)
        assert head.status_code == 200
        assert "attachment" in head.headers["content-disposition"]
        assert head.content == b""
    assert door.viewer.get(place).status_code == 200


def test_a_head_is_refused_like_its_get(door: Door) -> None:
    assert door.http.head(f"{API}/campaigns").status_code == 401
    assert door.viewer.head(f"{API}/campaigns/none").status_code == 404
    assert door.viewer.head(f"{API}/nothing").status_code == 404

"""Objects before anything is known of them."""

from tests.api.conftest import API, N_POOL, Door


def test_objects_are_listed_before_any_score(door: Door, campaign: str) -> None:
    """The list was empty, as if the campaign had no objects."""
    found, cursor = [], None
    while True:
        query = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = door.viewer.get(f"{API}/campaigns/{campaign}/objects", params=query)
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert len({one["object_id"] for one in found}) == len(found) == N_POOL
    assert {(one["score"], one["prediction"], one["run_id"]) for one in found} == {
        (None, None, None)
    }

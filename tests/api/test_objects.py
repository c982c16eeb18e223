"""Objects before anything is known of them, and what a run says of one."""

import json

from al_service.rounds.campaigns import find_campaign
from db.repositories import runs
from db.repositories.predictions import NewPrediction, replace_predictions
from db.vocabulary import RunKind
from tests.api.conftest import API, N_POOL, Door, Sky, object_id
from tests.db.factories import id_of, publish_run


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


def test_an_object_shows_what_a_spectrum_would_save(
    sky: Sky, door: Door, campaign: str
) -> None:
    said = {
        "mean": 0.1,
        "epistemic": 0.03,
        "aleatoric": 0.04,
        "interval90": [0.02, 0.18],
        "calibrated": False,
    }
    telling = {1: {**said, "spectrum_saves": 0.045}, 2: said}
    with sky.database.sessions.begin() as session:
        found = find_campaign(session, campaign)
        first = runs.live(session, found.id, RunKind.SCORE)
        assert first is not None
        run_id = publish_run(session, found, first.id).id
        replace_predictions(
            session,
            found.id,
            run_id=run_id,
            predictions=[
                NewPrediction(
                    id_of(session, found, object_id(number)),
                    1.0,
                    json.dumps({"z": one}),
                )
                for number, one in telling.items()
            ],
        )
    for number, expected in ((1, 0.045), (2, None)):
        answer = door.viewer.get(f"{API}/objects/{object_id(number)}")
        assert answer.status_code == 200, answer.text
        (mine,) = [
            one for one in answer.json()["campaigns"] if one["campaign"] == campaign
        ]
        assert mine["prediction"]["z"]["spectrum_saves"] == expected

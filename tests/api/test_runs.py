"""Runs, as the door shows them."""

from dataclasses import replace

from sqlalchemy import update

from al_service.rounds import claiming
from db.tables import Run
from tests.api.conftest import API, Sky, open_door


def test_the_settings_say_when_a_worker_counts_as_silent(sky: Sky) -> None:
    """`AL_STALE_SECONDS` was read by the sweep alone: the door always said 30 s."""
    patient = sky.settings.model_copy(update={"stale_seconds": 3600.0})
    with open_door(sky) as hasty, open_door(replace(sky, settings=patient)) as slow:
        campaign = hasty.open_campaign()
        place = f"{API}/campaigns/{campaign}"
        (planned,) = hasty.viewer.get(f"{place}/runs").json()["items"]
        with sky.database.sessions.begin() as session:
            within = sky.settings.stale_after
            assert claiming.claim(
                session, planned["id"], worker="w", stale_after=within
            )
            session.execute(
                update(Run)
                .where(Run.id == planned["id"])
                .values(heartbeat_at=Run.heartbeat_at - 2 * within)
            )
        for door, stale in ((hasty, True), (slow, False)):
            (listed,) = door.viewer.get(f"{place}/runs").json()["items"]
            shown = door.viewer.get(f"{API}/runs/{planned['id']}").json()
            (live,) = door.viewer.get(place).json()["live_runs"]
            assert [one["stale"] for one in (listed, shown, live)] == [stale] * 3

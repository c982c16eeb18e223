"""Whoever looks at a campaign or asks the doctor hears of runs that failed."""

import json
from pathlib import Path

import pytest

from al_service.rounds.claiming import finish
from db.repositories import runs
from db.tables import Campaign
from db.vocabulary import RunKind, RunState
from tests.api.conftest import Door, Sky
from tests.api.conftest import campaign as campaign  # fixtures
from tests.api.conftest import door as door
from tests.api.conftest import sky as sky
from tests.cli.commands import Commands
from tests.db.factories import claimed

WHY = "OSError: [Errno 28] No space left on device"


def fail_the_first_ranking(door: Door, campaign: str) -> int:
    with door.service.sessions.begin() as session:
        found = session.query(Campaign).filter_by(name=campaign).one()
        run = runs.live(session, found.id, RunKind.SCORE)
        assert run is not None
        finish(session, claimed(session, run.id), RunState.FAILED, message=WHY)
        return run.id


def test_a_failed_run_is_shown_with_its_error_and_what_to_do(
    door: Door,
    sky: Sky,
    campaign: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A campaign whose every run failed was shown as one that waits for labels."""
    run_id = fail_the_first_ranking(door, campaign)
    monkeypatch.setenv("AL_DATABASE_URL", str(sky.settings.database_url))
    monkeypatch.setenv("AL_BROKER_URL", str(sky.settings.broker_url))
    monkeypatch.setenv("COLUMNS", "200")
    al = Commands(tmp_path / "home")
    said = f"score run {run_id} failed: {WHY}"

    shown = al.run("campaign", "status", campaign).stdout
    assert said in shown
    assert f"POST /api/v1/campaigns/{campaign}/runs" in shown

    examined = al.run("doctor", "--json", "-")
    assert examined.exit_code == 1
    checks = {one["name"]: one for one in json.loads(examined.stdout)["checks"]}
    assert not checks["runs"]["ok"]
    assert checks["runs"]["found"] == f"campaign {campaign}: {said}"
    assert f"campaigns/{campaign}/runs" in checks["runs"]["hint"]

"""What was exported and is told again changes nothing."""

from typing import Any

import pytest

from al_service.client import Client
from al_service.exports.formats import TableFormat
from al_service.rounds.labeling import current_labels
from al_service.rounds.planning import label_digest
from al_service.settings import Settings
from db.tables import Campaign
from db.vocabulary import Role
from tests.api.conftest import Door, Sky, object_id
from tests.api.conftest import door as door  # fixtures
from tests.api.conftest import sky as sky
from tests.cli.commands import Commands

NOTES = ["=cmd()", "'=x", ' é "q", a\nb\n\n# c\t; <i> & \r\n', "", "-1", None]


def digest(door: Door, campaign: str) -> tuple[int, str]:
    """How many labels there are, and the digest that a run would freeze."""
    with door.service.sessions() as session:
        found = session.query(Campaign).filter_by(name=campaign).one()
        pairs = [
            (one.object_id, one.label_id) for one in current_labels(session, found.id)
        ]
    with Client(door.url, door.secrets[Role.ADMIN]) as client:
        return len(list(client.labels(campaign))), label_digest(pairs)


def fill(door: Door, campaign: str) -> None:
    """Labels of two people, with notes, errors, nothing, and a correction."""
    numbers = [number for number in range(1, 12) if number % 5]
    labels: list[dict[str, Any]] = [
        {
            "object_id": object_id(number),
            "values": {"z": 0.1 + number / 7, "sfr_avg": -number / 3},
            "errors": {"z": 1e-5 / number},
            "note": note,
            "quality": 3,
        }
        for number, note in zip(numbers, NOTES, strict=False)
    ]
    labels.append({"object_id": object_id(numbers[-1]), "values": {}, "quality": 0})
    with Client(door.url, door.secrets[Role.LABELER]) as client:
        stored = client.tell(campaign, labels)
        first = labels[0] | {"values": {"z": 0.5}, "supersedes": stored[0].id}
        client.tell(campaign, [first])
    with Client(door.url, door.secrets[Role.ADMIN]) as client:
        client.tell(campaign, [labels[1] | {"values": {"z": 0.9}}])


@pytest.mark.parametrize("current", [False, True], ids=["all", "current"])
@pytest.mark.parametrize("kind", TableFormat)
def test_telling_an_export_again_changes_nothing(
    door: Door,
    sky: Sky,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    kind: TableFormat,
    current: bool,
) -> None:
    campaign = door.open_campaign(targets=["z", "sfr_avg"], overlap=2)
    fill(door, campaign)
    before = digest(door, campaign)
    settings: Settings = sky.settings
    monkeypatch.setenv("AL_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("AL_BROKER_URL", str(settings.broker_url))
    monkeypatch.setenv("AL_URL", f"{door.url}/?token={door.secrets[Role.ADMIN]}")
    al, path = Commands(tmp_path / "home"), tmp_path / "labels"
    only = ["--current"] if current else []
    al.json("label", "export", campaign, "--format", kind.value, "-o", path, *only)

    told = al.json("label", "import", campaign, path)

    assert len(told["labels"]) == before[0] - 1  # the corrected one stays history
    assert told["n_new"] == 0
    assert digest(door, campaign) == before


def test_a_file_that_brings_nothing_new_says_so(
    door: Door, sky: Sky, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said "2 labels stored" however often it was imported."""
    campaign = door.open_campaign()
    monkeypatch.setenv("AL_DATABASE_URL", str(sky.settings.database_url))
    monkeypatch.setenv("AL_BROKER_URL", str(sky.settings.broker_url))
    al, path = Commands(tmp_path / "home"), tmp_path / "labels.csv"
    lines = ["object_id,z", *(f"{object_id(number)},0.1" for number in (1, 2))]

    def import_lines() -> str:
        path.write_text("\n".join(lines))
        return " ".join(al.run("label", "import", campaign, path).stdout.split())

    assert import_lines() == f"2 labels of {path} stored in {campaign}"
    assert import_lines() == f"nothing new: 2 labels of {path} are in {campaign}"
    lines.append(f"{object_id(3)},0.1")
    assert import_lines().endswith(f"stored in {campaign} 2 were there already")

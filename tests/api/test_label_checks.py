"""Labels that the scan doubts, through every way out of the service."""

from pathlib import Path

import pytest
from sqlalchemy import text

from al_service.client import Client
from al_service.exports.formats import TableFormat
from db.vocabulary import Role
from tests.api.conftest import API, Door, Sky, object_id
from tests.cli.commands import Commands
from tests.exports.tables import plain, read_file

SCANNED = 0.5
"""What the scan says of objects 1 to 3."""


@pytest.fixture(scope="module", autouse=True)
def scan(sky: Sky) -> None:
    with sky.database.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO redshift_scan SELECT id, :z, 1e-4, 0.98, 100, 'QSO'"
                " FROM sky_object WHERE row BETWEEN 1 AND 3"
            ),
            {"z": SCANNED},
        )


def tell(door: Door, campaign: str) -> dict[str, object]:
    """An object that is right, one that is wrong, one without a spectrum."""
    labels = [
        {"object_id": object_id(1), "values": {"z": SCANNED}},
        {"object_id": object_id(2), "values": {"z": 0.1}},
        {"object_id": object_id(4), "values": {"z": 0.1}},
    ]
    answer = door.labeler.post(
        f"{API}/campaigns/{campaign}/labels",
        json={"labels": labels},
        headers={"Idempotency-Key": "once"},
    )
    assert answer.status_code == 201, answer.text
    told: dict[str, object] = answer.json()
    return told


def test_a_doubted_label_is_stored_and_named(door: Door, campaign: str) -> None:
    told = tell(door, campaign)
    assert told["flagged"] == [object_id(2)]
    labels = told["labels"]
    assert isinstance(labels, list)
    right, wrong, alone = (label["check"] for label in labels)
    assert right["disagrees"] is False
    assert alone is None
    assert wrong == {
        "scan_z": SCANNED,
        "scan_class": "QSO",
        "confidence": 0.98,
        "dz": pytest.approx(-0.4 / 1.5),
        "disagrees": True,
    }
    assert tell(door, campaign) == told, "a repeated request is answered the same"


def test_labels_to_look_at_again_are_listed_alone(door: Door, campaign: str) -> None:
    tell(door, campaign)
    path = f"{API}/campaigns/{campaign}/labels"
    everything = door.viewer.get(path).json()["items"]
    assert [one["check"] is None for one in everything] == [False, False, True]
    with Client(door.url, door.secrets[Role.VIEWER]) as client:
        (label,) = client.labels(campaign, flagged=True)
        assert len(list(client.labels(campaign))) == 3
    assert label.object_id == object_id(2)
    assert label.check is not None
    assert label.check.scan_class == "QSO"
    counts = door.viewer.get(f"{API}/campaigns/{campaign}").json()["counts"]
    assert counts["flagged"] == 1


@pytest.mark.parametrize("kind", TableFormat)
def test_every_format_has_what_the_scan_says(
    door: Door, campaign: str, tmp_path: Path, kind: TableFormat
) -> None:
    tell(door, campaign)
    path = tmp_path / f"labels.{kind}"
    with Client(door.url, door.secrets[Role.VIEWER]) as client:
        client.export_labels(campaign, path, kind=kind)
    table = read_file(path, kind)
    assert plain(table["scan_z"]) == [SCANNED, SCANNED, None]
    assert plain(table["scan_class"]) == ["QSO", "QSO", None]
    assert plain(table["scan_confidence"]) == [0.98, 0.98, None]
    assert plain(table["scan_dz"]) == [0.0, pytest.approx(-0.4 / 1.5), None]
    assert [str(one) for one in plain(table["flagged"])] == ["False", "True", "False"]


def test_an_import_prints_what_to_look_at_again(
    sky: Sky,
    campaign: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AL_DATABASE_URL", str(sky.settings.database_url))
    monkeypatch.setenv("AL_BROKER_URL", str(sky.settings.broker_url))
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "labels.csv"
    path.write_text(f"object_id,z\n{object_id(1)},0.5\n{object_id(3)},1.25\n")
    al = Commands(tmp_path / "home")

    shown = al.run("label", "import", campaign, path).output

    assert "1 to look at again" in shown
    assert f"{object_id(3)}: z = 1.25, the scan says QSO at 0.50000 (98% sure)" in shown
    assert object_id(1) not in shown
    status = al.run("campaign", "status", campaign).output
    assert "2 told, 2 that train, 1 to look at again" in status
    (again,) = al.json("label", "import", campaign, path)["labels"][1:]
    assert again["check"]["disagrees"] is True

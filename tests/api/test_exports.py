"""Exports over HTTP: whole, of one moment, in bounded memory, ended with the client."""

import gc
import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from astropy.io import fits
from astropy.io.votable import parse
from sqlalchemy import text

from al_service.api import tables
from al_service.client import Client, RequestRefused
from al_service.exports.formats import TableFormat, TargetListFormat, suffix_of
from al_service.local.processes import wait_until
from db.tables import Campaign, LeaseItem, Run
from db.vocabulary import Role, RunKind, RunState
from tests.api.conftest import API, Door, object_id
from tests.exports.tables import plain, read

TARGETS = ["z", "sfr_avg"]
NOTE = '=cmd()|é "q", a\nb; <i> &'

PREDICTION = {
    "mean": 0.1 + 0.2,
    "epistemic": 0.01,
    "aleatoric": 0.02,
    "interval90": [0.25, 0.35],
    "calibrated": True,
}


@pytest.fixture
def labeled(door: Door) -> str:
    """A campaign with five labels: one corrected, one that says nothing."""
    name = door.open_campaign(targets=TARGETS)
    first: list[dict[str, Any]] = [
        {"object_id": object_id(1), "values": {"z": 0.1 + 0.2}, "errors": {"z": 1e-5}},
        {"object_id": object_id(2), "values": {}, "quality": 0, "note": NOTE},
        {"object_id": object_id(3), "values": {"z": 1, "sfr_avg": -0.5}, "quality": 3},
        {"object_id": object_id(4), "values": {"sfr_avg": 1 / 3}, "source": "VI"},
    ]
    stored = tell(door, name, first)
    correction = {"object_id": object_id(1), "values": {"z": 0.4}}
    tell(door, name, [{**correction, "supersedes": stored[0]["id"]}])
    return name


def tell(door: Door, campaign: str, labels: list[dict[str, Any]]) -> Any:
    answer = door.labeler.post(
        f"{API}/campaigns/{campaign}/labels", json={"labels": labels}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["labels"]


def labels_of(door: Door, campaign: str) -> list[dict[str, Any]]:
    path = f"{API}/campaigns/{campaign}/labels"
    items: list[dict[str, Any]] = door.viewer.get(path).json()["items"]
    return items


def serve_run(door: Door, campaign: str, batch_id: int) -> None:
    """Let a batch be one that a run has ranked."""
    with door.service.sessions.begin() as session:
        found = session.query(Campaign).filter_by(name=campaign).one()
        run = Run(
            campaign_id=found.id,
            kind=RunKind.FULL,
            state=RunState.PUBLISHED,
            n_labels=0,
            label_digest="cd" * 32,
            config_digest="ab" * 32,
            checkpoint_digest="ef" * 32,
            seed=11,
            finished_at=datetime.now(UTC),
        )
        session.add(run)
        session.flush()
        session.execute(
            text("UPDATE lease SET run_id = :run WHERE id = :id"),
            {"run": run.id, "id": batch_id},
        )
        items = session.query(LeaseItem).filter_by(lease_id=batch_id)
        for item in items.order_by(LeaseItem.position).limit(2):
            item.prediction = {"z": PREDICTION}
            item.rank, item.score, item.reason = item.position, 1.5, "lcmd"


@pytest.fixture
def batch(door: Door) -> dict[str, Any]:
    name = door.open_campaign(targets=TARGETS, seed=2**40, strategy="lcmd")
    asked = door.labeler.post(f"{API}/campaigns/{name}/batches", json={"size": 3})
    serve_run(door, name, asked.json()["id"])
    shown: dict[str, Any] = door.viewer.get(
        f"{API}/batches/{asked.json()['id']}"
    ).json()
    return shown


@pytest.mark.parametrize("kind", TargetListFormat)
def test_a_batch_is_a_target_list_in_every_format(
    door: Door, batch: dict[str, Any], kind: TargetListFormat, tmp_path: Path
) -> None:
    answer = door.viewer.get(f"{API}/batches/{batch['id']}/export?format={kind}")

    assert answer.status_code == 200, answer.text
    name = f'filename="batch-{batch["id"]}.{suffix_of(TableFormat(kind))}"'
    assert name in answer.headers["content-disposition"]
    table = read([answer.content], TableFormat(kind), tmp_path)
    items = batch["items"]
    for column in ("object_id", "ra", "dec", "rank", "reason", "score"):
        assert plain(table[column]) == [item[column] for item in items], column
    assert plain(table["z_mean"]) == [PREDICTION["mean"]] * 2 + [None]
    assert plain(table["z_low90"]) == [0.25, 0.25, None]
    assert plain(table["z_high90"]) == [0.35, 0.35, None]
    assert plain(table["sfr_avg_mean"]) == [None] * 3
    first = items[0]
    chart, page = plain(table["chart_url"])[0], plain(table["object_url"])[0]
    assert f"ra={first['ra']:.6f}&dec={first['dec']:.6f}" in str(chart)
    assert door.viewer.get(str(page)).json()["object_id"] == first["object_id"]


def test_a_target_list_says_where_it_comes_from(
    door: Door, batch: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "batch.vot"
    with Client(door.url, door.secrets[Role.VIEWER]) as client:
        size = client.export_batch(batch["id"], path)
        client.export_batch(batch["id"], tmp_path / "batch.fits", kind="fits")

    (resource,) = parse(path).resources
    facts = {one.name: one.value for one in resource.params}

    assert size == path.stat().st_size
    assert facts["campaign"] == batch["campaign"]
    assert facts["campaign_seed"] == 2**40
    assert facts["strategy"] == "lcmd"
    assert json.loads(facts["strategy_config"])["name"] == "lcmd"
    assert facts["batch_id"] == batch["id"]
    assert facts["run_id"] == batch["run_id"]
    assert facts["checkpoint_digest"] == "ef" * 32
    assert facts["config_digest"] == "ab" * 32
    assert facts["expires_at"] == batch["expires_at"][:19] + "Z"
    assert facts["service"].startswith("al-service ")
    with fits.open(tmp_path / "batch.fits") as hdus:
        assert hdus[1].header["ALCHECK"] == "ef" * 32
        assert hdus[1].header["ALRUN"] == batch["run_id"]


def test_every_row_of_a_csv_target_list_carries_the_provenance(
    door: Door, batch: dict[str, Any], tmp_path: Path
) -> None:
    answer = door.viewer.get(f"{API}/batches/{batch['id']}/export?format=csv")
    table = read([answer.content], TableFormat.CSV, tmp_path)
    assert plain(table["strategy"]) == ["lcmd"] * 3
    assert plain(table["campaign_seed"]) == [2**40] * 3
    assert plain(table["config_digest"]) == ["ab" * 32] * 3


@pytest.mark.parametrize("kind", TargetListFormat)
def test_an_empty_batch_is_an_empty_list(
    door: Door, kind: TargetListFormat, tmp_path: Path
) -> None:
    name = door.open_campaign()
    for _ in range(2):
        asked = door.labeler.post(
            f"{API}/campaigns/{name}/batches", json={"size": 1000}
        ).json()
    assert asked["items"] == []
    answer = door.viewer.get(f"{API}/batches/{asked['id']}/export?format={kind}")
    assert len(read([answer.content], TableFormat(kind), tmp_path)) == 0


@pytest.mark.parametrize("kind", TableFormat)
def test_every_label_is_exported_in_every_format(
    door: Door, labeled: str, kind: TableFormat, tmp_path: Path
) -> None:
    answer = door.viewer.get(
        f"{API}/campaigns/{labeled}/labels/export", params={"format": kind.value}
    )

    assert answer.status_code == 200, answer.text
    table = read([answer.content], kind, tmp_path)
    labels = labels_of(door, labeled)
    for column in ("id", "object_id", "quality", "labeler", "source", "superseded_by"):
        assert plain(table[column]) == [label[column] for label in labels], column
    supersedes = [label["supersedes_id"] for label in labels]
    assert plain(table["supersedes"]) == supersedes
    for target in TARGETS:
        values = [label["values"].get(target) for label in labels]
        errors = [label["errors"].get(target) for label in labels]
        assert plain(table[target]) == values
        assert plain(table[f"{target}_err"]) == errors
    shield = "'" if kind is TableFormat.CSV else ""
    assert plain(table["note"]) == [None, shield + NOTE, None, None, None]
    moments = [datetime.fromisoformat(str(at)) for at in plain(table["created_at"])]
    told = [datetime.fromisoformat(label["created_at"]) for label in labels]
    assert moments == told


@pytest.mark.parametrize("kind", TableFormat)
def test_corrected_labels_can_be_left_out(
    door: Door, labeled: str, kind: TableFormat, tmp_path: Path
) -> None:
    with Client(door.url, door.secrets[Role.VIEWER]) as client:
        path = tmp_path / "current"
        client.export_labels(labeled, path, kind=kind, current=True)

    table = read([path.read_bytes()], kind, tmp_path)
    wanted = [one for one in labels_of(door, labeled) if one["superseded_by"] is None]
    assert plain(table["id"]) == [label["id"] for label in wanted]


@pytest.mark.parametrize("kind", TableFormat)
def test_a_campaign_without_labels_has_an_empty_table(
    door: Door, campaign: str, kind: TableFormat, tmp_path: Path
) -> None:
    path = f"{API}/campaigns/{campaign}/labels/export?format={kind}"
    assert len(read([door.viewer.get(path).content], kind, tmp_path)) == 0


def test_what_cannot_be_exported_is_refused_before_the_first_byte(
    door: Door, campaign: str, tmp_path: Path
) -> None:
    viewer = door.viewer
    for path, status in (
        ("/campaigns/none/labels/export", 404),
        (f"/campaigns/{campaign}/labels/export?format=xls", 422),
        (f"/campaigns/{campaign}/labels/export?curent=true", 422),
        ("/batches/999999/export", 404),
        ("/batches/1/export?format=parquet", 422),
    ):
        answer = viewer.get(API + path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
    assert door.http.get(f"{API}/batches/1/export").status_code == 401
    with (
        Client(door.url, door.secrets[Role.VIEWER]) as client,
        pytest.raises(RequestRefused, match="no campaign named 'none'"),
    ):
        client.export_labels("none", tmp_path / "labels.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def many(door: Door) -> str:
    """A campaign with labels enough to fill every buffer between here and there."""
    name = door.open_campaign()
    with door.service.sessions.begin() as session:
        session.execute(
            text(
                """
                INSERT INTO label (campaign_id, sky_object_id, values, labeler, note)
                SELECT c.id, o.id, '{"z": 0.5}', 'labeler ' || n, repeat('n', 2000)
                FROM campaign c JOIN sky_object o ON o.pool_id = c.pool_id,
                    generate_series(1, 300) AS n
                WHERE c.name = :name AND o.split = 'pool'
                """
            ),
            {"name": name},
        )
    return name


def open_and_stall(door: Door, campaign: str) -> socket.socket:
    """A client that asks for an export and takes the first bytes only."""
    parts = urlsplit(door.url)
    client = socket.create_connection((parts.hostname, parts.port), timeout=30)
    client.sendall(
        f"GET {API}/campaigns/{campaign}/labels/export HTTP/1.1\r\nHost: here\r\n"
        f"Authorization: Bearer {door.secrets[Role.VIEWER]}\r\n\r\n".encode()
    )
    assert client.recv(100).startswith(b"HTTP/1.1 200 OK")
    return client


def connections(door: Door) -> int:
    return int(door.service.engine.pool.checkedout())  # type: ignore[attr-defined]  # of QueuePool


def end_exports(door: Door) -> int:
    """Let PostgreSQL end the connections of exports that wait for their clients."""
    with door.service.sessions.begin() as session:
        return len(
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
                )
            ).all()
        )


def test_a_client_that_goes_away_frees_its_connection_and_its_place(
    door: Door, many: str
) -> None:
    clients = [open_and_stall(door, many) for _ in range(tables.MOST_EXPORTS)]
    assert connections(door) == tables.MOST_EXPORTS
    path = f"{API}/campaigns/{many}/labels/export"
    refused = door.viewer.get(path)
    assert refused.status_code == 503
    assert refused.json()["type"].endswith("too-many-exports")
    asked = door.viewer.get(f"{API}/campaigns/{many}")
    assert asked.status_code == 200  # exports leave threads to others

    for client in clients:
        client.close()

    assert wait_until(lambda: connections(door) == 0, seconds=30)
    assert door.viewer.get(path).status_code == 200


def test_a_client_that_stalls_is_cut_off(
    door: Door, many: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "STALLED_SECONDS", 0.3)
    with open_and_stall(door, many):
        assert wait_until(lambda: connections(door) == 0, seconds=30)


@pytest.mark.filterwarnings(
    # psycopg cannot close the cursor of a connection that was cut under it.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_an_export_that_fails_half_way_is_seen_to_be_no_whole_one(
    door: Door, many: str
) -> None:
    with open_and_stall(door, many) as client:
        # Until its client's buffers are full, the export is still fetching.
        assert wait_until(lambda: end_exports(door) > 0, seconds=30)
        end = b""
        while part := client.recv(2**20):
            end = (end + part)[-100:]
    assert not end.endswith(b"0\r\n\r\n")  # what ends a whole answer
    assert wait_until(lambda: connections(door) == 0, seconds=30)
    gc.collect()  # the cursor is lost here, and not in another test


def test_an_export_is_of_one_moment(door: Door, many: str) -> None:
    """A label told while an export is being sent is not in it: FITS has its count."""
    counted = len(
        door.viewer.get(f"{API}/campaigns/{many}/labels/export?current=true")
        .text.strip()
        .splitlines()
    )
    with door.viewer.stream(
        "GET", f"{API}/campaigns/{many}/labels/export?format=fits"
    ) as answer:
        parts = answer.iter_bytes()
        start = next(parts)
        tell(door, many, [{"object_id": object_id(7), "values": {"z": 0.1}}])
        content = start + b"".join(parts)
    assert f"NAXIS2  = {counted - 1:>20}".encode() in content
    assert len(content) % 2880 == 0

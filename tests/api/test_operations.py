"""Alive, ready, and in numbers."""

import itertools
import re
import subprocess
import sys

from al_service.api.metrics import LoopCollector
from al_service.local.processes import wait_until
from al_service.rounds.monitoring import Snapshot
from al_service.rounds.readiness import SCHEDULE, worker_seen
from tests.api.conftest import API, N_POOL, Door, Sky, object_id, open_door


def series(door: Door) -> dict[str, float]:
    """Prometheus text as it is scraped: `name{label="value"}` → number."""
    answer = door.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {
        name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)
    }


def test_operations_are_answered_without_a_token(door: Door) -> None:
    assert door.http.get("/healthz").json() == {"status": "ok"}
    assert door.http.get("/version").json()["version"] == "0.1.0"
    assert door.http.get("/docs").status_code == 200
    assert door.http.get("/openapi.json").status_code == 200


def test_the_description_of_the_api_needs_no_internet(door: Door) -> None:
    """A white page in every observatory without a way out."""
    page = door.http.get("/docs")
    assert "al-service" in page.text
    assert "//" not in page.text.replace("://127", "").replace("<!--", "")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 3
    for address in loaded:
        assert door.http.get(address).status_code == 200, address
    assert "SwaggerUIBundle" in door.http.get(loaded[-1]).text
    assert door.http.get("/docs-assets/none.js").status_code == 404


def test_readiness_has_a_line_for_every_need_and_misses_a_silent_worker(
    door: Door, sky: Sky
) -> None:
    answer = door.http.get("/readyz")
    assert answer.status_code == 503
    checks = {one["name"]: one for one in answer.json()["checks"]}
    assert set(checks) == {"database", "migrations", "worker", "sweep", "broker"}
    missing = [name for name, one in checks.items() if not one["ok"]]
    assert missing == ["worker", "sweep"]
    assert "no worker seen" in checks["worker"]["detail"]

    with sky.database.sessions.begin() as session:
        worker_seen(session, "worker-1", "train")
        worker_seen(session, "worker-2", SCHEDULE)
    answer = door.http.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"]


def test_metrics_tell_requests_asks_labels_and_the_state_of_the_loop(
    door: Door,
) -> None:
    campaign = door.open_campaign()
    place = f"{API}/campaigns/{campaign}"
    door.labeler.post(f"{place}/batches", json={"size": 2})
    labels = [{"object_id": object_id(n), "values": {"z": 0.1}} for n in (1, 2, 3)]
    door.labeler.post(f"{place}/labels", json={"labels": labels})
    door.http.get("/wp-login.php")
    assert wait_until(lambda: asked(door, campaign), seconds=10)

    found = series(door)
    route = f"{API}/campaigns/{{campaign}}/labels"
    count = f'al_http_requests_total{{method="POST",route="{route}",status="201"}}'
    assert found[count] >= 1
    assert found['al_http_requests_total{method="*",route="(none)",status="404"}'] >= 1
    reason = f'al_objects_handed_out_total{{campaign="{campaign}",reason="random"}}'
    assert found[reason] == 2
    assert found[f'al_tells_total{{campaign="{campaign}"}}'] == 1
    assert found[f'al_labels_told_total{{campaign="{campaign}"}}'] == 3
    assert not any("wp-login" in name for name in found)


def asked(door: Door, campaign: str) -> bool:
    found = series(door)
    told = f'al_tells_total{{campaign="{campaign}"}}'
    return f'al_asks_total{{campaign="{campaign}"}}' in found and told in found


def test_metrics_count_what_the_database_holds(sky: Sky) -> None:
    with open_door(sky) as door:  # its first scrape: nothing is remembered
        campaign = door.open_campaign()
        door.labeler.post(f"{API}/campaigns/{campaign}/batches", json={"size": 2})
        found = series(door)
    of_campaign = f'campaign="{campaign}",state='
    assert found[f'al_candidates{{{of_campaign}"leased"}}'] == 2
    assert found[f'al_candidates{{{of_campaign}"free"}}'] == N_POOL - 2
    assert found[f'al_runs{{{of_campaign}"planned"}}'] == 1
    assert found[f'al_leases{{{of_campaign}"open"}}'] == 1
    assert f'al_last_published_run_age_seconds{{campaign="{campaign}"}}' not in found


def test_a_look_that_takes_long_serves_for_long() -> None:
    """A million candidates were counted again at every scrape."""
    now = itertools.count(0.0, step=2.0)  # a look takes two seconds
    looks = []

    def read() -> Snapshot:
        looks.append(1)
        return Snapshot(campaigns=(), worker_ages={})

    collector = LoopCollector(read, clock=lambda: next(now))
    for _ in range(50):  # a scrape every two seconds
        list(collector.collect())
    assert len(looks) == 1
    for _ in range(3):
        list(collector.collect())
    assert len(looks) == 2


def test_the_application_starts_without_torch() -> None:
    """In a process of its own: other tests of this process have imported torch."""
    program = (
        "import sys\n"
        "from al_service.api.app import create_app\n"
        "from al_service.settings import Settings\n"
        "app = create_app(Settings(database_url='postgresql+psycopg://nowhere/al'))\n"
        "app.openapi()\n"
        "print([name for name in ('torch', 'pyro', 'sklearn', 'umap')"
        " if name in sys.modules])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"

"""Asking: a hundred labelers at once on a million candidates, over real HTTP."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from sqlalchemy import distinct, func, select

from al_service.cli.benchmarks import bare_app
from al_service.cli.benchmarks.crowd import (
    Answer,
    Request,
    latencies_ms,
    lateness_ms,
    let_them_ask,
)
from al_service.cli.benchmarks.long_queue import CAMPAIGN, fill_queue
from al_service.cli.benchmarks.stage import Server, Stage, served, stage
from al_service.rounds.tokens import create_token
from al_service.studies.speed.measuring import Budget, Fact, Measurement, Size
from db.tables import LeaseItem
from db.vocabulary import Reason, Role

NAME: Final = "ask"

BUDGETS: Final = {"p50": Budget(), "p99": Budget(at_most=50.0), "max": Budget()}
"""DESIGN.md section 8, milliseconds."""

PEER: Final = "a bare FastAPI + psycopg app"

_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class _Scale:
    candidates: int
    ranked: int
    labelers: int
    warm_up: int
    """Seconds that do not count: a fresh server compiles statements and connects."""
    turns: int
    """Seconds that count."""
    batch: int
    """Objects per ask."""


@dataclass(frozen=True)
class _Crowded:
    """What a crowd got from one server."""

    everything: Sequence[Answer]
    counted: Sequence[Answer]
    """Those after the warm-up."""
    processor_ms: float
    """Processor time of the server process per ask, milliseconds."""


_SCALES: Final = {
    Size.SMALL: _Scale(
        candidates=2000, ranked=500, labelers=5, warm_up=1, turns=1, batch=5
    ),
    Size.FULL: _Scale(
        candidates=1_000_000, ranked=20_000, labelers=100, warm_up=5, turns=30, batch=5
    ),
}


def measure(size: Size, home: Path) -> list[Measurement]:
    """Time asking through the real API against the least that could be done."""
    scale = _SCALES[size]
    with stage(home) as place:
        fill_queue(place, candidates=scale.candidates, ranked=scale.ranked)
        ours = _ask_us(place, scale)
        facts = _our_facts(place, ours)
        theirs = _ask_them(place, scale)
    facts |= _their_facts(theirs)
    mine, other = latencies_ms(ours.counted), latencies_ms(theirs.counted)
    return [
        Measurement(
            benchmark=NAME,
            what=f"{name} of {scale.labelers * scale.turns:,} asks by "
            f"{scale.labelers} labelers, one a second each, {scale.candidates:,} "
            "candidates",
            unit="ms",
            ours=mine[name],
            peer=PEER,
            theirs=other[name],
            budget=budget,
            facts=facts if name == "p99" else {},
        )
        for name, budget in BUDGETS.items()
    ]


def _ask_us(place: Stage, scale: _Scale) -> _Crowded:
    secrets = _tokens(place, scale.labelers)
    place.settle()
    path = f"/api/v1/campaigns/{CAMPAIGN}/batches"
    body = json.dumps({"size": scale.batch}).encode()

    def request(labeler: int, turn: int) -> Request:
        # The Python client sends a key with every ask: keeping it is part of the work.
        key = {"Idempotency-Key": f"{labeler}-{turn}"}
        token = {"Authorization": f"Bearer {secrets[labeler]}"}
        return Request(path, body, {**_JSON, **key, **token})

    with served(place.settings, "api", ("al_service.cli", "api", "--fd")) as server:
        return _let_them(server, request, scale)


def _ask_them(place: Stage, scale: _Scale) -> _Crowded:
    with bare_app.connect(place.settings) as connection:
        connection.execute(bare_app.TABLE)
        connection.execute(bare_app.FILL, [scale.candidates])
        connection.execute(bare_app.INDEX)
    place.settle()
    asked = Request("/ask", json.dumps({"size": scale.batch}).encode(), _JSON)
    with served(place.settings, "bare", (bare_app.__name__,)) as server:
        return _let_them(server, lambda *_: asked, scale)


def _let_them(
    server: Server, request_of: Callable[[int, int], Request], scale: _Scale
) -> _Crowded:
    before = server.processor_seconds()
    answers = let_them_ask(
        server.port,
        request_of,
        labelers=scale.labelers,
        turns=scale.warm_up + scale.turns,
    )
    used = server.processor_seconds() - before
    return _Crowded(
        answers,
        [one for one in answers if one.turn >= scale.warm_up],
        1e3 * used / len(answers),
    )


def _tokens(place: Stage, count: int) -> list[str]:
    with place.sessions.begin() as session:
        return [
            create_token(session, f"labeler-{number:03d}", Role.LABELER)[1]
            for number in range(count)
        ]


def _our_facts(place: Stage, crowded: _Crowded) -> dict[str, Fact]:
    """Whether everybody got something of their own, by the answers and by the rows."""
    answers = crowded.everything
    batches = [
        json.loads(one.body) for one in answers if one.status == HTTPStatus.CREATED
    ]
    items = [item for batch in batches for item in batch["items"]]
    with place.sessions() as session:
        stored = session.scalar(select(func.count()).select_from(LeaseItem))
        different = session.scalar(select(func.count(distinct(LeaseItem.candidate_id))))
    return {
        "asks": len(answers),
        "errors": len(answers) - len(batches),
        "objects": len(items),
        "handed_out_twice": repeated([item["object_id"] for item in items]),
        "rows_handed_out_twice": (stored or 0) - (different or 0),
        "random_share": sum(item["reason"] == Reason.RANDOM for item in items)
        / max(len(items), 1),
        "with_prediction": sum(item["prediction"] is not None for item in items),
        "lateness_p99_ms": lateness_ms(crowded.counted),
        "processor_ms_per_ask": crowded.processor_ms,
    }


def _their_facts(crowded: _Crowded) -> dict[str, Fact]:
    answers = crowded.everything
    given = [json.loads(one.body) for one in answers if one.status == HTTPStatus.OK]
    return {
        "peer_errors": len(answers) - len(given),
        "peer_handed_out_twice": repeated([one for ids in given for one in ids]),
        "peer_lateness_p99_ms": lateness_ms(crowded.counted),
        "peer_processor_ms_per_ask": crowded.processor_ms,
    }


def repeated(names: Sequence[object]) -> int:
    """How many of them were there before."""
    return len(names) - len(set(names))

"""The least that could hand out objects: the peer of asking.

FastAPI and psycopg, one table, one SELECT … FOR UPDATE SKIP LOCKED and one UPDATE: no
tokens, reasons, predictions, random sample, budget or second request of the same key.
"""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import psycopg
import uvicorn
from fastapi import Body, FastAPI
from sqlalchemy import make_url

from al_service.cli.home import address
from al_service.settings import Settings

TABLE: Final = """
CREATE TABLE bare_candidate (
    id bigint PRIMARY KEY, rank bigint NOT NULL, lease bigint
)
"""

FILL: Final = """
INSERT INTO bare_candidate (id, rank) SELECT n, n FROM generate_series(1, %s) AS n
"""

INDEX: Final = """
CREATE INDEX ix_bare_candidate_free ON bare_candidate (rank) WHERE lease IS NULL
"""

_PICK = """
SELECT id FROM bare_candidate WHERE lease IS NULL
ORDER BY rank LIMIT %s FOR UPDATE SKIP LOCKED
"""

_TAKE = "UPDATE bare_candidate SET lease = 1 WHERE id = ANY(%s)"


def connect(settings: Settings) -> psycopg.Connection[tuple[int]]:
    """A connection without anything of ours."""
    url = make_url(address(settings)).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False))


def create_app(settings: Settings) -> FastAPI:
    """The smallest door."""
    app = FastAPI()
    kept = threading.local()  # one connection per thread of the server

    @contextmanager
    def transaction() -> Iterator[psycopg.Connection[tuple[int]]]:
        if not hasattr(kept, "connection"):
            kept.connection = connect(settings)
        with kept.connection.transaction():
            yield kept.connection

    @app.get("/healthz")
    def healthz() -> str:
        return "alive"

    @app.post("/ask")
    def ask(size: Annotated[int, Body(embed=True)]) -> list[int]:
        with transaction() as connection:
            rows = connection.execute(_PICK, [size]).fetchall()
            ids = [row[0] for row in rows]
            connection.execute(_TAKE, [ids])
        return ids

    return app


def main() -> None:
    """Serve on the open socket whose number is the argument."""
    config = uvicorn.Config(
        create_app(Settings()), log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()

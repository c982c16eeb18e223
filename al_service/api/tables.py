"""Tables as answers: sent in parts, ended with the client."""

import threading
from datetime import UTC, datetime
from typing import Any, Final

import anyio
from anyio.to_thread import run_sync
from fastapi import Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from al_service.api.address import PREFIX
from al_service.api.problems import NotServing
from al_service.exports.columns import Parts
from al_service.exports.formats import TableFormat, media_type_of, suffix_of
from al_service.rounds.exporting import Origin

MOST_EXPORTS: Final = 4
"""Sent at a time by one process: each keeps a connection for as long as its client
takes, and asks need theirs (`app.CONNECTIONS`)."""

STALLED_SECONDS: Final = 60.0
"""A client that takes nothing for so long has gone, or might as well have: its
snapshot keeps PostgreSQL from tidying up."""


class TooManyExports(NotServing):
    """Others are being sent; it is worth asking again."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_EXPORTS} exports are being sent already: try again in a moment"
        )


class Exports:
    """The exports that one process sends."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MOST_EXPORTS)

    def open(self, parts: Parts) -> Parts:
        """An export that has a place and has begun: what is wrong with it is known.

        Args:
            parts: of the file.

        Raises:
            TooManyExports: there is no place.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyExports
        placed = self._placed(parts)
        next(placed)
        return placed

    def _placed(self, parts: Parts) -> Parts:
        try:
            first = next(parts, b"")
            yield b""
            yield first
            yield from parts
        finally:
            parts.close()
            self._places.release()


class TableResponse(StreamingResponse):
    """A file that is written while it is sent, and closed whatever happens.

    Args:
        parts: of the file.
        kind: its format.
        name: of the file, without its ending.
    """

    def __init__(self, parts: Parts, *, kind: TableFormat, name: str) -> None:
        file = f"{name}.{suffix_of(kind)}"
        super().__init__(
            parts,
            media_type=media_type_of(kind),
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts; let go of what they hold, also when the client goes away."""

        async def send_or_give_up(message: Message) -> None:
            with anyio.fail_after(STALLED_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, send_or_give_up)
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(self._parts.close)


def origin_of(request: Request) -> Origin:
    """Who exports: this service, at the address by which the client knows it."""
    address = f"{str(request.base_url).rstrip('/')}{PREFIX}/objects/"
    return Origin(address, datetime.now(UTC))


def table_responses(*kinds: TableFormat) -> dict[int | str, dict[str, Any]]:
    """What `/openapi.json` says of an answer that is a file."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        200: {
            "description": "The table, as a file.",
            "content": {media_type_of(kind): binary for kind in kinds},
        }
    }

"""Refuses oversized request bodies before they are in memory."""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from al_service.api.problems import problem_response

DRAIN_FACTOR: Final = 8
"""A body up to this many times the limit is read and thrown away, so that the client
gets to read the refusal instead of a broken connection."""


class BodyLimit:
    """ASGI middleware: answers 413 to a body of more than `limit` bytes.

    A declared length is refused at once; a body without one is counted as it comes.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counting `receive`, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > self.limit:
            await self._drain(receive, self.limit * DRAIN_FACTOR)
            await self._refusal(scope)(scope, receive, send)
            return
        await self.app(scope, self._counting(receive), send)

    def _counting(self, receive: Receive) -> Receive:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                if message.get("more_body"):
                    await self._drain(receive, self.limit * DRAIN_FACTOR)
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail)
            return message

        return counted

    async def _drain(self, receive: Receive, at_most: int) -> None:
        taken = 0
        while taken <= at_most:
            message = await receive()
            taken += len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body"):
                return

    @property
    def _detail(self) -> str:
        return f"expected a body of at most {self.limit} bytes, found more"

    def _refusal(self, scope: Scope) -> ASGIApp:
        return problem_response(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            detail=self._detail,
            instance=scope["path"],
            headers={"Connection": "close"},
        )

"""HEAD: what GET would answer, without its body."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Enough(OSError):
    """The head was sent: whoever writes the body thinks that the client has left."""


class Heads:
    """ASGI middleware: answers HEAD wherever GET is answered.

    A body that comes in parts, such as an export, is ended before its first part.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as a GET where it asks for a head."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({"type": "http.response.body"})
            if message.get("more_body"):
                raise _Enough

        asked = {**scope, "method": "GET"}
        try:
            await self.app(asked, receive, without_body)
        except (_Enough, ClientDisconnect):
            pass
        finally:
            scope["route"] = asked.get("route")  # for what counts requests

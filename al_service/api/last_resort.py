"""Answers for what nobody has foreseen."""

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from al_service.api.refusals import answer_bug


class LastResort:
    """ASGI middleware: a failure of ours is logged and answered with 500.

    Starlette's own handler raises the error again after its answer, and the server then
    cuts the connection under the client's next request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer if that fails before anything was sent."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:
            if started:  # too late for another answer: the server cuts the connection
                raise
            await answer_bug(Request(scope), error)(scope, receive, send)

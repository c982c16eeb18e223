"""Asking the Science Archive Server: one client, one pace, one reading of refusals."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

import httpx

from al_service.fetch.patience import Pace, retry_after_seconds
from al_service.fetch.problems import FetchProblem, NotThere, PassingProblem

GONE: Final = frozenset({httpx.codes.NOT_FOUND, httpx.codes.GONE})
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes after which another try may help."""

BUSY: Final = frozenset(
    {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}
)
"""The whole server, not the file: everybody waits."""

_FINE: Final = frozenset(
    {
        httpx.codes.OK,
        httpx.codes.PARTIAL_CONTENT,
        httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE,
    }
)


class Archive:
    """An open connection pool to one archive, used by one event loop."""

    def __init__(self, client: httpx.AsyncClient, url: str, pace: Pace) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._pace = pace

    def url_of(self, path: str) -> str:
        """The address of a file or folder."""
        return f"{self._url}/{path}"

    @asynccontextmanager
    async def get(
        self, path: str, *, from_byte: int = 0, version: str | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Begin to read a file, when it is our turn.

        Args:
            path: below the archive's address.
            from_byte: bytes that are here already.
            version: of the file that they are part of (`If-Range`): where another one
                is there by now, it is sent from its beginning.

        Yields:
            An answer with status 200, 206, or 416 (there is nothing after `from_byte`).

        Raises:
            NotThere: The archive has no such file.
            PassingProblem: A busy or broken server, a cut connection.
            FetchProblem: Any other refusal.
        """
        # Files are compressed already, and lengths must be those of the files.
        headers = {"Accept-Encoding": "identity"}
        if from_byte:
            headers["Range"] = f"bytes={from_byte}-"
            if version is not None:
                headers["If-Range"] = version
        await self._pace.turn()
        url = self.url_of(path)
        try:
            async with self._client.stream("GET", url, headers=headers) as answer:
                self._check(answer, url)
                yield answer
        except httpx.HTTPError as error:
            raise PassingProblem(
                f"{url}: {type(error).__name__} {error}".rstrip()
            ) from error

    async def text(self, path: str, *, at_most: int) -> str:
        """A small file.

        Raises:
            NotThere, PassingProblem, FetchProblem: As `get`; also for a file that is
                larger than `at_most` bytes.
        """
        parts = bytearray()
        async with self.get(path) as answer:
            async for chunk in answer.aiter_raw():
                parts += chunk
                if len(parts) > at_most:
                    raise FetchProblem(
                        f"{self.url_of(path)}: expected at most {at_most} bytes"
                    )
        return parts.decode("utf-8", errors="replace")

    def _check(self, answer: httpx.Response, url: str) -> None:
        status = answer.status_code
        if status in _FINE:
            return
        said = f"{url}: {status} {answer.reason_phrase}"
        if status in GONE:
            raise NotThere(said)
        if status not in PASSING:
            raise FetchProblem(said)
        wait = retry_after_seconds(answer.headers.get("Retry-After"))
        if status in BUSY and wait:
            self._pace.hold(wait)
        raise PassingProblem(said, wait)


@asynccontextmanager
async def open_archive(
    url: str, *, per_second: float, connections: int, timeout_seconds: float
) -> AsyncIterator[Archive]:
    """A client for the archive at an address; closed at the end, however it comes.

    Args:
        url: everything before `dr17/…`.
        per_second: requests that may start in a second.
        connections: requests that may run at the same time.
        timeout_seconds: silence after which a connection counts as broken.
    """
    async with httpx.AsyncClient(
        timeout=timeout_seconds,
        limits=httpx.Limits(max_connections=connections),
        follow_redirects=True,
        headers={"User-Agent": f"al-service/{version('al-service')} (al fetch)"},
    ) as client:
        yield Archive(client, url, Pace(per_second))

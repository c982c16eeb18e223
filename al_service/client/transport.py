"""Requests that are sent again until an answer comes."""

import random
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import httpx

from al_service.client.refusals import RequestRefused, ServiceUnreachable

ATTEMPTS: Final = 8
"""With the pauses below this rides out a restart of about twenty seconds."""

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0

PASSING: Final = frozenset(
    {
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses of a service that is about to come back."""

NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""After these the service cannot have seen the request."""


class Transport:
    """One connection pool to one service.

    Args:
        url: where the service is, without `/api/v1`.
        token: bearer token.
        timeout: seconds to wait for an answer to one attempt.
        pause: waits between attempts; takes seconds.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        timeout: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pause = pause
        self._url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # The service is addressed directly: proxies of the environment would break
        # the stack on this machine.
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout, trust_env=False
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,  # JSON: any shape
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> httpx.Response:
        """Send a request until it is answered.

        Args:
            method: HTTP method.
            path: path below the service's URL.
            body: sent as JSON, if not None.
            query: query parameters.
            headers: further headers.
            repeatable: whether doing it twice equals doing it once. If not, it is
                sent again only when the service cannot have seen it.

        Raises:
            RequestRefused: the service answered with an error.
            ServiceUnreachable: no answer came.
        """

        def attempt() -> httpx.Response:
            return self._http.request(
                method, path, json=body, params=query, headers=headers
            )

        return self._insist(attempt, repeatable=repeatable)

    def download(
        self, path: str, file: BinaryIO, *, query: Mapping[str, str | int]
    ) -> int:
        """Read an answer into a file, from its beginning after every break.

        Args:
            path: path below the service's URL.
            file: open for writing; what an attempt has left there is taken away.
            query: query parameters.

        Returns:
            How many bytes it has.

        Raises:
            RequestRefused: the service answered with an error.
            ServiceUnreachable: no whole answer came.
        """

        def attempt() -> httpx.Response:
            file.seek(0)
            file.truncate()
            with self._http.stream("GET", path, params=query) as answer:
                if not answer.is_success:
                    answer.read()
                file.writelines(answer.iter_bytes() if answer.is_success else ())
            return answer

        self._insist(attempt, repeatable=True)
        return file.tell()

    def _insist(
        self, send: Callable[[], httpx.Response], *, repeatable: bool
    ) -> httpx.Response:
        """Send until there is an answer."""
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            wait = _backoff(attempt)
            try:
                answer = send()
            except httpx.TransportError as error:
                if not repeatable and not isinstance(error, NEVER_SENT):
                    raise ServiceUnreachable(self._url, attempt, _why(error)) from error
                reason = _why(error)
            else:
                if not _worth_repeating(answer, repeatable=repeatable):
                    return _accepted(answer)
                reason = f"{answer.status_code} {answer.reason_phrase}"
                wait = max(wait, _retry_after(answer))
            if attempt < ATTEMPTS:
                self._pause(wait)
        raise ServiceUnreachable(self._url, ATTEMPTS, reason)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _why(error: httpx.TransportError) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _worth_repeating(answer: httpx.Response, *, repeatable: bool) -> bool:
    """A gateway's 502 or 504 may hide that the request was carried out.

    So may a 503: a database that went away in the commit may have committed.
    """
    return repeatable and answer.status_code in PASSING


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {"title": answer.reason_phrase, "detail": answer.text[:200]}
    raise RequestRefused(answer.status_code, problem)


def _backoff(attempt: int) -> float:
    """Seconds before the next attempt: doubling, with jitter against stampedes."""
    longest = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)


def _retry_after(answer: httpx.Response) -> float:
    value = answer.headers.get("retry-after", "")
    return min(float(value), LONGEST_PAUSE_SECONDS) if value.isdigit() else 0.0

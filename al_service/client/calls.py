"""Kinds of requests that the client makes: once, page by page, into a file."""

import uuid
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from al_service.client.answers import Json
from al_service.client.refusals import RequestRefused
from al_service.client.saving import whole_file
from al_service.client.transport import Transport

API = "/api/v1"

LARGEST_PAGE = 1000


class Calls:
    """Requests below `API` of one service.

    Args:
        transport: sends them.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def json(self, method: str, path: str, **request: Any) -> Json:
        """The answer to one request, sent until it is answered.

        Args:
            method: HTTP method.
            path: below `API`.
            request: what `Transport.send` takes.
        """
        answer: Json = self._transport.send(method, API + path, **request).json()
        return answer

    def content(
        self, path: str, query: Mapping[str, str | int] = MappingProxyType({})
    ) -> bytes:
        """An answer that is a file, in memory."""
        return self._transport.send("GET", API + path, query=query).content

    def save(self, path: str, file: str | Path, query: Mapping[str, str]) -> int:
        """Write an answer to a file; answers its bytes."""
        with whole_file(Path(file)) as opened:
            return self._transport.download(API + path, opened, query=query)

    def once(self, path: str, body: Json, key: str | None) -> Json:
        """A POST that may be sent again: it happens once."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.json("POST", path, body=body, headers=headers)

    def end(self, path: str, state: str) -> Json:
        """A DELETE that may be sent again: what has ended this way answers so.

        The first answer may have been lost; the second one is a conflict then.
        """
        try:
            return self.json("DELETE", path)
        except RequestRefused as refused:
            if refused.status != HTTPStatus.CONFLICT:
                raise
            found = self.json("GET", path)
            if found["state"] != state:
                raise
            return found

    def pages(
        self,
        path: str,
        size: int = LARGEST_PAGE,
        query: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[Json]:
        """The items of a list, page after page.

        Args:
            path: below `API`.
            size: items of a page.
            query: what narrows the list.
        """
        cursor: str | None = None
        while True:
            place = {"cursor": cursor} if cursor else {}
            page = self.json("GET", path, query={"limit": size, **query, **place})
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()


def campaign_path(campaign: str | int) -> str:
    """Where a campaign is, by its name or id."""
    return f"/campaigns/{quote(str(campaign), safe='')}"


def object_path(object_id: str) -> str:
    """Where an object is."""
    return f"/objects/{quote(object_id, safe='')}"

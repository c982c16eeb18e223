"""Answers that never change, and clients that have them already."""

import hashlib
from http import HTTPStatus
from typing import Final

from fastapi import Request, Response

KEPT_SECONDS: Final = 3600
"""Without asking again. A pool's arrays never change, but its name may come to stand
for another one in a new database."""


def tag_of(*facts: object) -> str:
    """An entity tag (RFC 9110, 8.8.3) of everything that an answer is made of."""
    digest = hashlib.sha256(repr(facts).encode()).hexdigest()
    return f'"{digest[:32]}"'


def cache_headers(tag: str) -> dict[str, str]:
    """Keep it, for whoever holds this token alone."""
    return {"ETag": tag, "Cache-Control": f"private, max-age={KEPT_SECONDS}"}


def unchanged(request: Request, tag: str) -> Response | None:
    """304 where the client has this answer already; None where it needs one."""
    named = request.headers.get("If-None-Match", "")
    tags = {one.strip().removeprefix("W/") for one in named.split(",")}
    if tag in tags or "*" in tags:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=cache_headers(tag))
    return None

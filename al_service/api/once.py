"""A request that was answered before is answered the same way again."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from al_service.api.visits import Visit
from al_service.rounds import idempotency
from db.repositories.answers import AnswerPlace

REPLAYED: Final = "Idempotency-Replayed"

Answer = TypeVar("Answer", bound=BaseModel)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Send a request again with the same key and body, and it happens"
        " once; with another body it is refused.",
    ),
]


@dataclass(frozen=True)
class Answered(Generic[Answer]):
    """An answer, written once: what is sent is what was stored."""

    content: Answer
    text: str
    """The content as JSON."""
    replayed: bool
    """Whether the answer is an old one."""

    def response(self, **headers: str) -> Response:
        """What is sent; FastAPI would check and write the content again."""
        if self.replayed:
            headers[REPLAYED] = "true"
        return Response(
            self.text, HTTPStatus.CREATED, headers, media_type="application/json"
        )


@dataclass(frozen=True)
class Once:
    """A request's place among those that were answered."""

    route: str
    """Its address, with `{campaign}` instead of one: a campaign has many spellings, by
    name or number, with or without escapes."""
    key: str | None

    def answer(
        self,
        visit: Visit,
        kind: type[Answer],
        body: BaseModel,
        act: Callable[[], Answer],
        *,
        campaign_id: int,
    ) -> Answered[Answer]:
        """The stored answer to this request, or the answer of `act`, now stored.

        Two equal requests at the same time: the second waits for the first.

        Args:
            visit: the request's transaction, and who sends it.
            kind: what the answer is.
            body: the request's body.
            act: does the thing.
            campaign_id: the campaign of the address.
        """
        if self.key is None:
            return _answered(act())
        path = self.route.replace("{campaign}", str(campaign_id))
        place = AnswerPlace(visit.caller.id, path, self.key)
        stored = idempotency.remembered(visit.session, place, digest_of(body))
        if stored is not None:
            content = kind.model_validate_json(stored.answer)
            return Answered(content, stored.answer, replayed=True)
        answered = _answered(act())
        idempotency.remember(visit.session, place, answered.text)
        return answered


def digest_of(body: BaseModel) -> str:
    """One digest for all spellings of the same JSON: blanks and order do not count."""
    canonical = json.dumps(body.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


async def once(request: Request, key: Key = None) -> Once:
    """For requests that honor an `Idempotency-Key`; others do not mention it."""
    return Once(request.scope["route"].path, key)


def _answered(content: Answer) -> Answered[Answer]:
    return Answered(content, content.model_dump_json(), replayed=False)


OnceDep = Annotated[Once, Depends(once)]

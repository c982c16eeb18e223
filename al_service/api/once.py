"""A request that was answered before is answered the same way again."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from al_service.api.dependencies import Labeler, Transaction
from al_service.rounds import idempotency

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
class Once:
    """Does a thing once per key, in the request's transaction."""

    session: Session
    token_id: int
    path: str
    key: str | None
    response: Response

    def answer(
        self, kind: type[Answer], body: BaseModel, act: Callable[[], Answer]
    ) -> Answer:
        """The stored answer to this request, or the answer of `act`, now stored.

        Two equal requests at the same time: the second waits for the first.

        Args:
            kind: what the answer is.
            body: the request's body.
            act: does the thing.
        """
        if self.key is None:
            return act()
        place = (self.token_id, self.path, self.key)
        digest = digest_of(body)
        stored = idempotency.remembered(self.session, *place, digest)
        if stored is not None:
            self.response.headers[REPLAYED] = "true"
            return kind.model_validate(stored.answer)
        answer = act()
        idempotency.remember(
            self.session,
            *place,
            digest,
            status=HTTPStatus.CREATED,
            answer=answer.model_dump(mode="json"),
        )
        return answer


def digest_of(body: BaseModel) -> str:
    """One digest for all spellings of the same JSON: blanks and order do not count."""
    canonical = json.dumps(body.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def once(
    request: Request,
    response: Response,
    session: Transaction,
    caller: Labeler,
    key: Key = None,
) -> Once:
    """The request's place among those that were answered."""
    return Once(session, caller.id, request.url.path, key, response)


OnceDep = Annotated[Once, Depends(once)]

"""A request is let in with a transaction of its own, or refused.

A handler lets its visitor in itself, in the one thread that serves it, and the
transaction is over before the handler returns: the commit precedes the response by
construction. As FastAPI dependencies each of these steps would be a journey between
threads, and those cost more than the SQL did.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from al_service.api.parameters import check_parameters
from al_service.api.problems import NotAuthenticated
from al_service.api.service import Service, service_of
from al_service.errors import NotAllowed
from al_service.rounds import campaigns, tokens
from db.repositories.campaigns import BriefCampaign
from db.repositories.tokens import Holder
from db.tables import Campaign
from db.vocabulary import Role

RANK_OF_ROLE: Final = {Role.VIEWER: 0, Role.LABELER: 1, Role.ADMIN: 2}
"""Each role includes the ones before it."""


@dataclass(frozen=True)
class Visit:
    """A request that was let in."""

    session: Session
    """Its transaction, committed when the visit ends and nothing was raised."""
    caller: Holder

    def campaign(self, ref: str) -> Campaign:
        """The campaign of a name or a number.

        Raises:
            NotFound: there is none.
        """
        return campaigns.find_campaign(self.session, ref)

    def brief_campaign(self, ref: str) -> BriefCampaign:
        """The same without its configuration.

        Raises:
            NotFound: there is none.
        """
        return campaigns.find_briefly(self.session, ref)


@dataclass(frozen=True)
class Visitor:
    """A request that knocks."""

    service: Service
    _secret: str

    @contextmanager
    def enter(self, role: Role) -> Iterator[Visit]:
        """Let the request in, with one transaction.

        Args:
            role: the least that its token must grant.

        Raises:
            NotAuthenticated: the token is unknown or revoked.
            NotAllowed: its role does not suffice.
        """
        with self.service.sessions.begin() as session:
            caller = tokens.authenticate(session, self._secret)
            if caller is None:
                raise NotAuthenticated("this token is unknown or was revoked")
            if RANK_OF_ROLE[caller.role] < RANK_OF_ROLE[role]:
                raise NotAllowed(
                    f"this needs the role {role}: token {caller.name!r} has"
                    f" {caller.role}"
                )
            yield Visit(session, caller)


bearer = HTTPBearer(
    auto_error=False, description="A token of `al token create` or `al up`."
)


async def visitor(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Visitor:
    """Whoever sends a request with a token; nothing is asked of the database yet.

    Raises:
        NotAuthenticated: there is no token.
        RequestValidationError: a parameter that the route does not know.
    """
    if credentials is None:
        raise NotAuthenticated(
            "expected a header `Authorization: Bearer TOKEN`, found none"
        )
    check_parameters(request)
    return Visitor(service_of(request), credentials.credentials)


VisitorDep = Annotated[Visitor, Depends(visitor)]

"""What endpoints ask for: a transaction, a caller with a role, a page of a list."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Final

from fastapi import Depends, Path, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from al_service.api.problems import NotAuthenticated
from al_service.api.schemas.fields import LARGEST_ID, Name
from al_service.api.service import Service, service_of
from al_service.errors import NotAllowed
from al_service.rounds import campaigns, tokens
from db.tables import ApiToken, Campaign
from db.vocabulary import Role

DEFAULT_LIMIT: Final = 100
LARGEST_LIMIT: Final = 1000

RANK_OF_ROLE: Final = {Role.VIEWER: 0, Role.LABELER: 1, Role.ADMIN: 2}
"""Each role includes the ones before it."""

ServiceDep = Annotated[Service, Depends(service_of)]

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]

Limit = Annotated[
    int, Query(ge=1, le=LARGEST_LIMIT, description="How many items to list.")
]
Cursor = Annotated[
    str | None,
    Query(max_length=200, description="`next_cursor` of the page before."),
]


async def turn(service: ServiceDep) -> AsyncIterator[None]:
    """A place among the requests that may use the database.

    A request that holds a connection needs a thread to go on. Were there more of them
    than threads, those waiting for connections could hold every thread: nobody moves.
    The body has been read by then: slow clients keep no place.
    """
    async with service.places:
        yield


Turn = Annotated[None, Depends(turn, scope="function")]


def unit_of_work(service: ServiceDep, _: Turn) -> Iterator[Session]:
    """One transaction for one request.

    Depended on with `scope="function"`: the commit precedes the response. With the
    default scope a client would read 201 before a commit that can still fail.
    """
    with service.sessions() as session, session.begin():
        yield session


Transaction = Annotated[Session, Depends(unit_of_work, scope="function")]

bearer = HTTPBearer(
    auto_error=False, description="A token of `al token create` or `al up`."
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def authenticated(session: Transaction, credentials: Credentials) -> ApiToken:
    """The holder of the request's bearer token."""
    if credentials is None:
        raise NotAuthenticated(
            "expected a header `Authorization: Bearer TOKEN`, found none"
        )
    token = tokens.authenticate(session, credentials.credentials)
    if token is None:
        raise NotAuthenticated("this token is unknown or was revoked")
    return token


Caller = Annotated[ApiToken, Depends(authenticated)]


def holding(role: Role) -> Callable[[ApiToken], ApiToken]:
    """A dependency that refuses callers below this role."""

    def check(caller: Caller) -> ApiToken:
        if RANK_OF_ROLE[caller.role] < RANK_OF_ROLE[role]:
            raise NotAllowed(
                f"this needs the role {role}: token {caller.name!r} has {caller.role}"
            )
        return caller

    return check


Viewer = Annotated[ApiToken, Depends(holding(Role.VIEWER))]
Labeler = Annotated[ApiToken, Depends(holding(Role.LABELER))]
Admin = Annotated[ApiToken, Depends(holding(Role.ADMIN))]

CampaignRef = Annotated[Name, Path(description="The campaign's name or its id.")]


def addressed_campaign(
    session: Transaction, campaign: CampaignRef, _: Viewer
) -> Campaign:
    """The campaign that the path names, once the caller is known."""
    return campaigns.find_campaign(session, campaign)


AddressedCampaign = Annotated[Campaign, Depends(addressed_campaign)]

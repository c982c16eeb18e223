"""What endpoints ask for in paths and queries: a campaign, a number, a page."""

from typing import Annotated, Final

from fastapi import Depends, Path, Query

from al_service.api.schemas.fields import LARGEST_ID, Name
from al_service.api.service import Service, service_of

DEFAULT_LIMIT: Final = 100
LARGEST_LIMIT: Final = 1000

ServiceDep = Annotated[Service, Depends(service_of)]

CampaignRef = Annotated[Name, Path(description="The campaign's name or its id.")]

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]

Limit = Annotated[
    int, Query(ge=1, le=LARGEST_LIMIT, description="How many items to list.")
]
Cursor = Annotated[
    str | None,
    Query(max_length=200, description="`next_cursor` of the page before."),
]

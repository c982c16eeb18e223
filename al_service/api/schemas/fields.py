"""Kinds of fields that several nouns share."""

from typing import Annotated, Generic, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema

from al_service.api.schemas.numbers import numbers_only

LARGEST_ID = 2**63 - 1
"""PostgreSQL's BIGINT ends here; a larger number would be an error of ours."""

Item = TypeVar("Item")

Text = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
"""A text that PostgreSQL can hold: no NUL."""

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")
]

Finite = Annotated[float, Field(allow_inf_nan=False)]
"""A number that JSON can carry."""

RowId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class Input(BaseModel):
    """Base of what clients send: an unknown field is refused, not dropped.

    So is `true` or `"3"` in the place of a number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The model's own schema, stricter about numbers."""
        schema = handler(source)
        numbers_only(handler.resolve_ref_schema(schema), handler.resolve_ref_schema)
        return schema


class Output(BaseModel):
    """Base of what the service answers."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Page(Output, Generic[Item]):
    """Some items of a list, and where the next ones begin."""

    items: list[Item]
    next_cursor: str | None
    """To be sent as `cursor`; null on the last page."""

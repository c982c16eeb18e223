"""Numbers are numbers: neither `true` nor `"3"` is one, though Python takes both."""

from collections.abc import Callable
from typing import Any, Final, cast

from pydantic_core import CoreSchema, PydanticCustomError

Schema = Any  # a part of pydantic's core schema: dicts, lists and whatever they hold

LEFT_ALONE: Final = frozenset({"metadata", "config", "serialization", "default"})
"""Parts of a core schema that are no schemas, or none of what comes in."""

NUMBERS: Final = frozenset({"int", "float"})


def numbers_only(
    schema: CoreSchema, resolve: Callable[[CoreSchema], CoreSchema]
) -> None:
    """Let a model refuse texts and truth values where it expects numbers.

    Args:
        schema: of the model, changed in place; so are the models that it holds.
        resolve: finds the schema that a reference stands for.
    """

    def walk(part: Schema) -> Schema:
        if isinstance(part, list):
            return [walk(each) for each in part]
        if not isinstance(part, dict) or _is_guarded(part):
            return part
        if part.get("type") == "definition-ref":
            numbers_only(resolve(part), resolve)
            return part
        walked = {
            name: each if name in LEFT_ALONE else walk(each)
            for name, each in part.items()
        }
        return _guarded(walked) if part.get("type") in NUMBERS else walked

    cast(dict[str, Any], schema).update(walk(schema))


def _guarded(schema: Schema) -> Schema:
    return {
        "type": "function-before",
        "function": {"type": "no-info", "function": _refuse},
        "schema": schema,
    }


def _is_guarded(schema: dict[str, Any]) -> bool:
    return (
        schema.get("type") == "function-before"
        and schema["function"]["function"] is _refuse
    )


def _refuse(value: object) -> object:
    if isinstance(value, bool | str):
        raise PydanticCustomError("number_type", "expected a number")
    return value

"""A truthful `/openapi.json`: the errors that are really sent."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from al_service.api.problems import ProblemDocument

REF = "#/components/schemas/{model}"
UNUSED = ("HTTPValidationError", "ValidationError")
"""FastAPI's own shape of a 422, which this service never sends."""


def describe(app: FastAPI) -> None:
    """Let the application's schema know the problem document."""
    plain = app.openapi

    def with_problems() -> dict[str, Any]:  # a JSON schema
        schema = plain()
        known = schema.setdefault("components", {}).setdefault("schemas", {})
        if ProblemDocument.__name__ not in known:
            _, definitions = models_json_schema(
                [(ProblemDocument, "serialization")], ref_template=REF
            )
            known.update(definitions["$defs"])
            for name in UNUSED:
                known.pop(name, None)
        return schema

    app.openapi = with_problems  # type: ignore[method-assign]  # FastAPI's own advice

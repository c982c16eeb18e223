"""A query parameter that a route does not know is refused: `?limt=5` is a slip."""

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute


def check_parameters(request: Request) -> None:
    """Refuse what nobody reads.

    Raises:
        RequestValidationError: with every parameter that its route does not know.
    """
    route = request.scope["route"]
    if not request.scope["query_string"] or not isinstance(route, APIRoute):
        return
    known = _parameters(route.dependant)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        some = (
            f"expected one of {', '.join(sorted(known))}" if known else "none is known"
        )
        raise RequestValidationError(
            [
                {
                    "type": "extra_forbidden",
                    "loc": ("query", name),
                    "msg": f"not a parameter of this address: {some}",
                    "input": None,
                }
                for name in unknown
            ]
        )


def _parameters(dependant: Dependant) -> set[str]:
    """Names of the query parameters of an endpoint and of all that it depends on."""
    names = {one.alias for one in dependant.query_params}
    return names.union(*map(_parameters, dependant.dependencies))

"""The description of the API is true."""

from typing import Any

import pytest

from tests.api.conftest import API, Door

Schema = dict[str, Any]  # JSON


@pytest.fixture(scope="module")
def schema(door: Door) -> Schema:
    found: Schema = door.http.get("/openapi.json").json()
    return found


def operations(schema: Schema) -> list[tuple[str, str, Schema]]:
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_contract_row_is_there(schema: Schema) -> None:
    found = {f"{method.upper()} {path}" for path, method, _ in operations(schema)}
    campaign = f"{API}/campaigns/{{campaign}}"
    assert found >= {
        f"POST {API}/campaigns",
        f"GET {API}/campaigns",
        f"GET {campaign}",
        f"PATCH {campaign}",
        f"POST {campaign}/batches",
        f"GET {API}/batches/{{batch_id}}",
        f"DELETE {API}/batches/{{batch_id}}",
        f"POST {API}/batches/{{batch_id}}/renew",
        f"GET {API}/batches/{{batch_id}}/export",
        f"POST {campaign}/labels",
        f"GET {campaign}/labels",
        f"GET {campaign}/labels/export",
        f"GET {campaign}/learning-curve",
        f"GET {campaign}/learning-curve.png",
        f"GET {campaign}/learning-curve.svg",
        f"GET {campaign}/runs",
        f"POST {campaign}/runs",
        f"GET {API}/runs/{{run_id}}",
        f"DELETE {API}/runs/{{run_id}}",
        f"GET {campaign}/objects",
        f"GET {API}/objects/{{object_id}}",
        "GET /healthz",
        "GET /readyz",
        "GET /version",
        "GET /metrics",
    }


def test_every_error_is_described_as_the_problem_that_is_sent(schema: Schema) -> None:
    for path, method, operation in operations(schema):
        if not path.startswith(API):
            continue
        place = f"{method} {path}"
        statuses = {int(status) for status in operation["responses"]}
        assert {401, 403, 422} <= statuses, place
        if "{" in path:
            assert 404 in statuses, place
        if operation.get("requestBody"):
            assert 413 in statuses, place
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                content = response["content"]
                assert list(content) == ["application/problem+json"], place
    names = schema["components"]["schemas"]
    assert "ProblemDocument" in names
    assert "HTTPValidationError" not in names


def test_every_reference_leads_somewhere(schema: Schema) -> None:
    names = set(schema["components"]["schemas"])
    for name in references(schema):
        assert name in names


def test_every_operation_that_needs_a_token_says_so(schema: Schema) -> None:
    for path, method, operation in operations(schema):
        assert bool(operation.get("security")) == path.startswith(API), (method, path)


def references(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {str(part["$ref"]).rpartition("/")[2]} if "$ref" in part else set()
        return own.union(*(references(each) for each in part.values()))
    if isinstance(part, list):
        return set().union(*(references(each) for each in part))
    return set()


def test_only_requests_that_honor_an_idempotency_key_mention_it(
    schema: Schema,
) -> None:
    mentioning = {
        (method, path)
        for path, method, operation in operations(schema)
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "Idempotency-Key"
    }
    campaign = f"{API}/campaigns/{{campaign}}"
    assert mentioning == {
        ("post", f"{campaign}/batches"),
        ("post", f"{campaign}/labels"),
    }

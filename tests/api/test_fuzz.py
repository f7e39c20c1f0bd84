"""Fuzzing: the API follows its own schema, and refuses what the schema does not allow."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import CheckFunction, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from local_supabase.stack.runtime import StackInfo
from tests.api.serving import WaitingAgent, served, token_of
from tests.support.people import Person

OPERATIONS = [
    "GET /agents",
    "POST /agents/run",
    "GET /agents/runs",
    "GET /agents/runs/{run_id}",
    "POST /agents/runs/{run_id}/cancel",
    "POST /agents/runs/{run_id}/retry",
]


@pytest.fixture(scope="module")
def schema_under_test(stack: StackInfo) -> Iterator[schemathesis.BaseSchema]:
    quick = WaitingAgent()
    quick.released.set()
    with served(stack.url, stack.anon_key, agents=(quick.agent(),)) as api:
        yield schemathesis.openapi.from_url(f"{api.url}/api/openapi.json")


Case = schemathesis.Case[Any]


def operations(schema: schemathesis.BaseSchema) -> dict[str, Any]:
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    return {operation.label: operation for operation in found if operation.tags == ["Agents"]}


def test_every_operation_is_fuzzed(schema_under_test: schemathesis.BaseSchema) -> None:
    assert sorted(operations(schema_under_test)) == sorted(OPERATIONS)


def excluded_checks(case: Case) -> list[CheckFunction]:
    query = case.query or {}
    if "before" in query:  # only cursors from the API are valid, which no schema can express
        return [positive_data_acceptance]
    if any(is_empty(value) for value in query.values()):
        return [negative_data_rejection]
    return []


def is_empty(value: object) -> bool:
    """Return whether nothing of the value remains in the address."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or (isinstance(value, dict | list) and all(is_empty(item) for item in items))


@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")  # Schemathesis does
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_follows_the_schema(
    schema_under_test: schemathesis.BaseSchema, ann: Person, name: str, mode: GenerationMode
) -> None:
    operation = operations(schema_under_test)[name]
    statuses: list[int] = []

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def call(case: Case) -> None:
        headers = {"Authorization": f"Bearer {token_of(ann)}"}
        answer = case.call_and_validate(headers=headers, excluded_checks=excluded_checks(case))
        statuses.append(answer.status_code)

    call()
    assert statuses
    assert max(statuses) < 500

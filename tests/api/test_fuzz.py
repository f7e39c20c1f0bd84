"""Whatever is sent: the API keeps to its own description, and refuses what that does not allow."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import CheckFunction, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from local_supabase.runtime import StackInfo
from tests.api.serving import Patient, served, token_of
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
def described(stack: StackInfo) -> Iterator[schemathesis.BaseSchema]:
    quick = Patient()
    quick.let_go.set()
    with served(stack.url, stack.anon_key, agents=(quick.agent(),)) as api:
        yield schemathesis.openapi.from_url(f"{api.url}/api/openapi.json")


Case = schemathesis.Case[Any]


def operations(schema: schemathesis.BaseSchema) -> dict[str, Any]:
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    return {operation.label: operation for operation in found if operation.tags == ["Agents"]}


def test_every_operation_is_tried(described: schemathesis.BaseSchema) -> None:
    assert sorted(operations(described)) == sorted(OPERATIONS)


def checks_to_leave_out(case: Case) -> list[CheckFunction]:
    query = case.query or {}
    if "before" in query:  # a cursor is whatever was given as one, which no schema can say
        return [positive_data_acceptance]
    if any(vanishes(value) for value in query.values()):
        return [negative_data_rejection]
    return []


def vanishes(value: object) -> bool:
    """Whether nothing of a wrong value is left in the address."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or (isinstance(value, dict | list) and all(vanishes(item) for item in items))


@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")  # Schemathesis does
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_is_described(
    described: schemathesis.BaseSchema, ann: Person, name: str, mode: GenerationMode
) -> None:
    operation = operations(described)[name]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def every_answer(case: Case) -> None:
        headers = {"Authorization": f"Bearer {token_of(ann)}"}
        case.call_and_validate(headers=headers, excluded_checks=checks_to_leave_out(case))

    every_answer()

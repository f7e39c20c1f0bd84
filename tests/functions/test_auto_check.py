"""The edge function `auto-check`, served by the real Deno through the gateway."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import httpx
import pytest
from postgrest import APIError

from local_supabase.functions.deno import find_deno
from local_supabase.stack.runtime import StackInfo
from tests.support.people import Person, anonymous_client, sign_up
from tests.support.stack import PROJECT

Checks = Mapping[str, object]

FUNCTION = PROJECT / "functions" / "auto-check"
QUERY = "SELECT name, count(*) FROM guests GROUP BY name;"
TOOL_CALL = {"tool": "run_sql", "arguments": json.dumps({"query": QUERY})}


@pytest.fixture(scope="module")
def parser() -> None:
    """Download the parser; skip the tests where the npm registry cannot be reached."""
    config = FUNCTION / "deno.json"
    fetched = subprocess.run(
        [find_deno(), "cache", "--quiet", "--no-lock", f"--config={config}", FUNCTION / "index.ts"],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode and "error sending request" in fetched.stderr:
        pytest.skip("The npm registry cannot be reached, so the parser cannot be downloaded.")
    assert fetched.returncode == 0, fetched.stderr


@pytest.fixture(scope="module")
def client(stack: StackInfo, parser: None) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {stack.anon_key}", "apikey": stack.anon_key}
    with httpx.Client(base_url=f"{stack.url}/functions/v1/", headers=headers, timeout=60) as client:
        yield client


def check(client: httpx.Client, candidate: object, task_type: str = "text") -> Checks:
    body = {"task_type": task_type, "candidate_a": candidate, "candidate_b": "beside"}
    answer = client.post("auto-check", json=body)
    assert answer.status_code == 200, answer.text
    found: Checks = answer.json()["candidate_a"]
    return found


def test_supabase_py_gets_checks_of_both_candidates(stack: StackInfo, client: httpx.Client) -> None:
    body = {"task_type": "tool_call_qa", "candidate_a": TOOL_CALL, "candidate_b": '{"tool": "run_sql",}'}
    answer = anonymous_client(stack).functions.invoke("auto-check", {"body": body, "responseType": "json"})
    assert isinstance(answer, dict)
    assert answer["task_type"] == "tool_call_qa"
    assert answer["candidate_a"] == {
        "json_valid": True, "json_error": None, "sql_valid": True, "sql_error": None,
        "applies": ["json", "sql"],
    }  # fmt: skip
    assert answer["candidate_b"]["json_valid"] is False
    assert "line 1 column 20" in answer["candidate_b"]["json_error"]


@pytest.mark.parametrize(
    ("candidate", "json_valid", "sql_valid", "applies"),
    [
        (QUERY, False, True, ["sql"]),
        ("SELEC 1", False, False, []),
        ("-- why\n/* and how */ select 1 frm x y", False, False, ["sql"]),
        ("select $q$ it's $q$::text, '{\"a\":1}'::jsonb -> 'a'", False, True, ["sql"]),
        ('{"a": [1, 2, null]}', True, False, ["json"]),
        ('{"a": 1} and more', False, False, ["json"]),
        ('{"sql": "select 1"}', True, True, ["json", "sql"]),
        ('{"sql": "select from where"}', True, False, ["json", "sql"]),
        ({"arguments": '{"query": "select 1"'}, False, False, ["json"]),
        ({"steps": [{"query": "select 1"}, {"query": "select 1 1"}]}, True, False, ["json", "sql"]),
        ("Use this:\n```sql\nselect 1\n```\nor that:\n```SQL\nselect (2\n```\n", False, False, ["sql"]),
        ("Use this:\n```sql\nselect 1\n```\n```json\n[]\n```", True, True, ["json", "sql"]),
        ("Just words about a select few.", False, False, []),
        ("", False, False, []),
        ("-- nothing but a comment", False, False, []),
        ("select '\x00'", False, False, ["sql"]),
        (7, True, False, ["json"]),
    ],
)
def test_what_is_json_and_what_is_sql(
    client: httpx.Client, candidate: object, json_valid: bool, sql_valid: bool, applies: list[str]
) -> None:
    found = check(client, candidate)
    assert (found["json_valid"], found["sql_valid"], found["applies"]) == (json_valid, sql_valid, applies)
    assert (found["json_error"] is None) == json_valid
    assert (found["sql_error"] is None) == sql_valid


@pytest.mark.parametrize(("task_type", "kinds"), [("json", ["json"]), ("text_to_sql", ["sql"])])
def test_the_task_type_decides_which_checks_apply(
    client: httpx.Client, task_type: str, kinds: list[str]
) -> None:
    assert check(client, "Sorry, I cannot do that.", task_type)["applies"] == kinds


def test_an_error_has_its_position(client: httpx.Client) -> None:
    found = check(client, "select 'é',\n  name name name")
    assert found["sql_error"] == 'syntax error at or near "name" (line 2, column 13)'


@pytest.mark.parametrize(
    "candidate",
    [
        "select " + "(" * 12_000 + "1" + ")" * 12_000,
        "select " + "1+" * 20_000 + "1",
        "select " + "a or " * 9_000 + "a",
        "/**/" * 12_000 + "x",
        "```a\n" * 9_000,
        "select " + "case when " * 4_500,
        "select " + "not " * 12_000 + "true",
        "select " + "- " * 20_000 + "1",
        "[" * 24_000 + "]" * 24_000,
    ],
    ids=lambda text: text[:16],
)
def test_hostile_text_breaks_neither_the_function_nor_the_next_answer(
    client: httpx.Client, candidate: str
) -> None:
    check(client, candidate)
    assert check(client, QUERY)["sql_valid"] is True


def test_a_candidate_or_body_that_is_too_large_is_refused(client: httpx.Client) -> None:
    pair = {"task_type": "text", "candidate_a": "x" * 50_001, "candidate_b": "b"}
    answer = client.post("auto-check", json=pair)
    assert (answer.status_code, answer.json()["field"]) == (413, "candidate_a")
    answer = client.post("auto-check", content=b" " * 300_000, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (413, {"error": "The body is larger than 256 kB."})


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b'{"task_type": "\xff"}', 400, None),
        (b"[]", 422, None),
        (b"null", 422, None),
        (b"{}", 422, "task_type"),
        (b'{"task_type": 7}', 422, "task_type"),
        (b'{"task_type": "text", "candidate_a": "a"}', 422, "candidate_b"),
        (b'{"task_type": "text", "candidate_a": null, "candidate_b": "b"}', 422, "candidate_a"),
        (b'{"task_id": "x"}', 422, "task_id"),
    ],
)
def test_a_bad_request_is_refused_with_the_reason(
    client: httpx.Client, body: bytes, status: int, field: str | None
) -> None:
    answer = client.post("auto-check", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert answer.json()["error"].endswith(".")


def test_only_json_is_accepted_and_only_by_post(client: httpx.Client) -> None:
    assert client.post("auto-check", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    answer = client.get("auto-check")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_browser_may_call_it(client: httpx.Client, stack: StackInfo) -> None:
    answer = httpx.options(f"{stack.url}/functions/v1/auto-check", timeout=60)
    assert answer.is_success
    assert answer.headers["access-control-allow-origin"] == "*"


def test_without_a_token_a_call_is_refused(client: httpx.Client, stack: StackInfo) -> None:
    answer = httpx.post(f"{stack.url}/functions/v1/auto-check", json={}, timeout=60)
    assert answer.status_code == 401


# ---------------------------------------------------------------- tasks in the database


@dataclass(frozen=True, slots=True)
class Bench:
    """A tenant with a manager and a rater, and a task whose candidates are checked."""

    manager: Person
    rater: Person
    task_id: str


@pytest.fixture(scope="module")
def bench(stack: StackInfo) -> Bench:
    manager, rater = sign_up(stack, "Manager"), sign_up(stack, "Rater")
    tenant = f"t_{uuid.uuid4().hex[:12]}"
    manager.client.rpc("create_tenant", {"p_id": tenant, "p_name": tenant, "p_open_signup": True}).execute()
    rater.client.rpc("join_tenant", {"p_tenant": tenant}).execute()
    campaign = {"tenant_id": tenant, "name": "Checks", "status": "active", "created_by": manager.user_id}
    made = manager.client.table("campaigns").insert(campaign).execute()
    [row] = cast("list[Mapping[str, str]]", made.data)
    return Bench(manager, rater, add_task(manager, row["id"]))


def add_task(manager: Person, campaign_id: str, candidate_b: object = "select 1 1") -> str:
    task = {
        "task_type": "text_to_sql", "prompt": "Count the guests.", "name_a": "a", "name_b": "b",
        "candidate_a": QUERY, "candidate_b": candidate_b,
    }  # fmt: skip
    params = {"p_campaign": campaign_id, "p_tasks": [task]}
    made = cast("list[Mapping[str, str]]", manager.client.rpc("create_rating_tasks", params).execute().data)
    return made[0]["id"]


def row_of(person: Person, task_id: str) -> Mapping[str, object]:
    found = person.client.table("rating_tasks").select("*").eq("id", task_id).execute()
    return cast("Mapping[str, object]", found.data[0])


def call(person: Person, stack: StackInfo, task_id: str) -> httpx.Response:
    session = person.client.auth.get_session()
    assert session is not None
    headers = {"authorization": f"Bearer {session.access_token}", "apikey": stack.anon_key}
    url = f"{stack.url}/functions/v1/auto-check"
    return httpx.post(url, json={"task_id": task_id}, headers=headers, timeout=60)


def test_the_result_of_a_rater_s_call_is_stored_with_the_task(
    client: httpx.Client, stack: StackInfo, bench: Bench
) -> None:
    answer = call(bench.rater, stack, bench.task_id)
    assert answer.status_code == 200
    stored = row_of(bench.rater, bench.task_id)
    assert stored["auto_check"] == answer.json()
    assert stored["auto_check_status"] == "failed"
    assert answer.json()["candidate_a"]["sql_valid"] is True
    assert answer.json()["candidate_b"]["sql_error"] == 'syntax error at or near "1" (line 1, column 10)'

    # A second call returns the result without writing it again.
    assert call(bench.rater, stack, bench.task_id).json() == answer.json()
    assert row_of(bench.rater, bench.task_id)["version"] == stored["version"]


def test_only_the_function_can_write_the_result(client: httpx.Client, stack: StackInfo, bench: Bench) -> None:
    task_id = add_task(bench.manager, str(row_of(bench.manager, bench.task_id)["campaign_id"]))
    forged = {"auto_check": {"candidate_a": {}}, "auto_check_status": "passed"}
    for person in (bench.rater, bench.manager):
        with pytest.raises(APIError, match="permission denied"):
            person.client.table("rating_tasks").update(forged).eq("id", task_id).execute()
    session = bench.rater.client.auth.get_session()
    assert session is not None
    body = {"task_id": task_id, "task_type": "chat", "candidate_a": "1", "candidate_b": "2"}
    headers = {"authorization": f"Bearer {session.access_token}"}
    assert client.post("auto-check", json=body, headers=headers).status_code == 200
    assert row_of(bench.rater, task_id)["auto_check_status"] == "failed"  # of the candidates in the database


def test_a_task_of_another_tenant_is_not_found(client: httpx.Client, stack: StackInfo, bench: Bench) -> None:
    stranger = sign_up(stack, "Stranger")
    for answer in (
        call(stranger, stack, bench.task_id),
        client.post("auto-check", json={"task_id": bench.task_id}),
    ):
        assert (answer.status_code, answer.json()) == (404, {"error": "There is no such task."})


def test_a_task_that_cannot_be_checked_has_an_error_and_can_be_rated(
    client: httpx.Client, stack: StackInfo, bench: Bench
) -> None:
    campaign_id = str(row_of(bench.manager, bench.task_id)["campaign_id"])
    task_id = add_task(bench.manager, campaign_id, "x" * 50_001)
    assert call(bench.rater, stack, task_id).status_code == 413
    assert row_of(bench.rater, task_id)["auto_check_status"] == "error"
    claimed = bench.rater.client.rpc("claim_task", {"p_campaign": campaign_id}).execute()
    assert claimed.data is not None

"""The edge function `auto-check`, served by the real Deno through the gateway."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping

import httpx
import pytest

from local_supabase.functions.deno import find_deno
from local_supabase.runtime import StackInfo
from tests.support.people import anonymous_client
from tests.support.stack import PROJECT

Checks = Mapping[str, object]

FUNCTION = PROJECT / "functions" / "auto-check"
QUERY = "SELECT name, count(*) FROM guests GROUP BY name;"
TOOL_CALL = {"tool": "run_sql", "arguments": json.dumps({"query": QUERY})}


@pytest.fixture(scope="module")
def parser() -> None:
    """Have the parser at hand; without the npm registry there is nothing to check with."""
    config = FUNCTION / "deno.json"
    fetched = subprocess.run(
        [find_deno(), "cache", "--quiet", "--no-lock", f"--config={config}", FUNCTION / "index.ts"],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode and "error sending request" in fetched.stderr:
        pytest.skip("The npm registry cannot be reached, so there is no parser to check with.")
    assert fetched.returncode == 0, fetched.stderr


@pytest.fixture(scope="module")
def client(stack: StackInfo, parser: None) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {stack.anon_key}", "apikey": stack.anon_key}
    with httpx.Client(base_url=f"{stack.url}/functions/v1/", headers=headers, timeout=60) as client:
        yield client


def check(client: httpx.Client, candidate: object, task_type: str = "text") -> Checks:
    asked = {"task_type": task_type, "candidate_a": candidate, "candidate_b": "beside"}
    answer = client.post("auto-check", json=asked)
    assert answer.status_code == 200, answer.text
    found: Checks = answer.json()["candidate_a"]
    return found


def test_supabase_py_asks_it_about_both_candidates(stack: StackInfo, client: httpx.Client) -> None:
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
def test_the_type_of_the_task_says_what_a_candidate_has_to_be(
    client: httpx.Client, task_type: str, kinds: list[str]
) -> None:
    assert check(client, "Sorry, I cannot do that.", task_type)["applies"] == kinds


def test_an_error_says_where_it_is(client: httpx.Client) -> None:
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
def test_hostile_text_neither_ends_it_nor_spoils_the_next_answer(
    client: httpx.Client, candidate: str
) -> None:
    check(client, candidate)
    assert check(client, QUERY)["sql_valid"] is True


def test_too_much_is_refused(client: httpx.Client) -> None:
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
def test_a_bad_request_is_told_what_is_wrong(
    client: httpx.Client, body: bytes, status: int, field: str | None
) -> None:
    answer = client.post("auto-check", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert answer.json()["error"].endswith(".")


def test_only_json_is_taken_and_only_by_post(client: httpx.Client) -> None:
    assert client.post("auto-check", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    answer = client.get("auto-check")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_browser_may_ask(client: httpx.Client, stack: StackInfo) -> None:
    answer = httpx.options(f"{stack.url}/functions/v1/auto-check", timeout=60)
    assert answer.is_success
    assert answer.headers["access-control-allow-origin"] == "*"


def test_without_a_token_nothing_is_checked(client: httpx.Client, stack: StackInfo) -> None:
    answer = httpx.post(f"{stack.url}/functions/v1/auto-check", json={}, timeout=60)
    assert answer.status_code == 401

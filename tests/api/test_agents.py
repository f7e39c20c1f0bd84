"""Runs of agents over HTTP: the real server in its own process, and two people who call it."""

import base64
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import cast

import httpx
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.api.serving import Served, WaitingAgent, calling, served, token_of
from tests.support.app import AppUnderTest
from tests.support.people import Person, give_role, sign_up
from tests.support.wait import wait_for

QUICK = {"agent": "docs-checker", "options": {"pattern": "README.md", "pace": 0}}


@pytest.fixture
def agent() -> WaitingAgent:
    return WaitingAgent()


@pytest.fixture
def api(stack: StackInfo, agent: WaitingAgent) -> Iterator[Served]:
    """Serve an API whose agent works until the test releases it."""
    with served(stack.url, stack.anon_key, agents=(agent.agent(),)) as served_api:
        yield served_api
        agent.released.set()


def start(client: httpx.Client, body: object = None, **headers: str) -> str:
    answer = client.post("/agents/run", json=body or QUICK, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/agents/runs/{answer.json()['run_id']}" == answer.json()["url"]
    return str(answer.json()["run_id"])


def ended(client: httpx.Client, run: str) -> dict[str, object]:
    def look() -> dict[str, object] | None:
        found: dict[str, object] = client.get(f"/agents/runs/{run}").raise_for_status().json()
        return found if found["completed_at"] else None

    return wait_for(look, within=60, what="the run to end")


def problem(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    details = answer.json()
    assert details["status"] == status
    return str(details["detail"])


def invalid_fields(answer: httpx.Response) -> list[tuple[str, str]]:
    problem(answer, 422)
    return [(error["place"], error["field"]) for error in answer.json()["errors"]]


def test_a_run_is_started_read_and_completed(as_ann: httpx.Client, ann: Person) -> None:
    run = start(as_ann, {**QUICK, "task_id": "task_123"})
    found = ended(as_ann, run)
    assert (found["id"], found["agent"], found["task_id"]) == (run, "docs-checker", "task_123")
    assert (found["user_id"], found["status"], found["progress_percent"]) == (ann.user_id, "completed", 100)
    assert isinstance(found["result"], dict)
    assert found["result"]["documents"] == 1
    assert isinstance(found["events"], list)
    kinds = [(event["kind"], event["message"]) for event in found["events"]]
    assert kinds[0] == ("status", "pending")
    assert kinds[-1] == ("status", "completed")
    assert ("step", "Checking README.md") in kinds
    (agent,) = as_ann.get("/agents").json()
    assert (agent["name"], set(agent["options"]["properties"])) == ("docs-checker", {"pattern", "pace"})


def test_runs_of_others_are_not_found(as_ann: httpx.Client, as_bob: httpx.Client) -> None:
    run = start(as_ann)
    for path in (run, uuid.uuid4()):
        for method, route in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry")):
            detail = problem(as_bob.request(method, f"/agents/runs/{path}{route}"), 404)
            assert detail == "There is no such run, or it is somebody else's."
    assert run not in as_bob.get("/agents/runs").text
    assert ended(as_ann, run)["status"] == "completed"


def test_a_finished_run_can_be_retried_but_not_cancelled(as_ann: httpx.Client) -> None:
    run = start(as_ann)
    ended(as_ann, run)
    detail = problem(as_ann.post(f"/agents/runs/{run}/cancel"), 409)
    assert detail == "This run is finished: it cannot be changed any more."
    answer = as_ann.post(f"/agents/runs/{run}/retry")
    assert answer.status_code == 202
    again = ended(as_ann, answer.json()["run_id"])
    assert (again["retry_of"], again["status"]) == (run, "completed")
    assert again["metadata"] == {"options": QUICK["options"]}


def test_requests_with_the_same_key_start_one_run(as_ann: httpx.Client, as_bob: httpx.Client) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    with ThreadPoolExecutor(8) as threads:
        runs = {future.result() for future in [threads.submit(start, as_ann, **key) for _ in range(8)]}
    (run,) = runs
    trail = [
        event["message"]
        for event in ended(as_ann, run)["events"]  # type: ignore[attr-defined]  # a list of JSON
        if event["kind"] == "status"
    ]
    assert trail.count("in_progress") == 1
    assert start(as_ann, **key) == run
    detail = problem(as_ann.post("/agents/run", json={"agent": "docs-checker"}, headers=key), 409)
    assert "used for another request" in detail
    assert start(as_bob, **key) != run


def test_the_id_for_a_key_cannot_be_computed_by_others(as_ann: httpx.Client, ann: Person) -> None:
    """Another member who could would insert a run with it first, and the owner would get 409 for ever."""
    key = uuid.uuid4().hex
    run = start(as_ann, **{"Idempotency-Key": key})
    spaces = (uuid.NAMESPACE_DNS, uuid.NAMESPACE_URL, uuid.NAMESPACE_OID, uuid.NAMESPACE_X500)
    guessable = {str(uuid.uuid5(space, f"{ann.user_id} {key}")) for space in spaces}
    guessable.add(str(uuid.uuid5(uuid.UUID("5d5f1d0a-8f0c-4b5e-9a53-6f7d5f0f8c11"), f"{ann.user_id} {key}")))
    assert run not in guessable
    assert run == ann.client.rpc("run_id_for_key", {"p_key": key}).execute().data


def all_pages(client: httpx.Client, **query: str | int) -> list[str]:
    """Read a list page by page, and return the ids in order."""
    page = client.get("/agents/runs", params=query).raise_for_status().json()
    found = [run["id"] for run in page["runs"]]
    assert len(found) <= int(query["limit"])
    return found if page["next"] is None else found + all_pages(client, **{**query, "before": page["next"]})


def test_lists_are_filtered_and_read_page_by_page(stack: StackInfo, server: AppUnderTest) -> None:
    lister = sign_up(stack, "Lister")
    with calling(server.url, token_of(lister)) as client:
        runs = [start(client) for _ in range(5)]
        for run in runs:
            ended(client, run)
        assert all_pages(client, limit=2) == runs[::-1]
        bulk = [{"agent_name": "bulk", "agent_id": "bulk"} for _ in range(3)]
        written = lister.client.table("agent_runs").insert(bulk).execute().data  # all at one moment
        ids = {str(cast("Mapping[str, object]", run)["id"]) for run in written}
        assert sorted(all_pages(client, limit=1, agent="bulk")) == sorted(ids)
        for params, count in (
            ({"status": "completed", "agent": "docs-checker"}, 5),
            ({"status": "failed"}, 0),
            ({"agent": 'no,such"(agent)'}, 0),
            ({"user_id": str(uuid.uuid4())}, 0),
            ({"user_id": lister.user_id}, 8),
        ):
            assert len(client.get("/agents/runs", params=params).json()["runs"]) == count


def test_an_admin_reads_and_cancels_but_cannot_retry_the_runs_of_others(
    stack: StackInfo, api: Served, ann: Person, agent: WaitingAgent
) -> None:
    admin = sign_up(stack, "Admin")
    give_role(stack, admin.user_id, "admin")
    with calling(api.url, token_of(ann)) as client:
        run = start(client, {"agent": "waiting"})
    with calling(api.url, token_of(admin)) as client:
        assert client.get(f"/agents/runs/{run}").json()["user_id"] == ann.user_id
        assert client.post(f"/agents/runs/{run}/cancel").json()["status"] == "cancelled"
        problem(client.post(f"/agents/runs/{run}/retry"), 404)
    assert api.background.wait(run, timedelta(seconds=60))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"agent": "nobody"}, "agent"),
        ({}, "agent"),
        ({"agent": ""}, "agent"),
        ({"agent": 7}, "agent"),
        ({"agent": "docs-checker", "task": "misspelled"}, "task"),
        ({"agent": "docs-checker", "task_id": "x" * 201}, "task_id"),
        ({"agent": "docs-checker", "task_id": "a\x00b"}, "task_id"),
        ({"agent": "docs-checker", "options": {"pace": "fast"}}, "options.pace"),
        ({"agent": "docs-checker", "options": {"unknown": 1}}, "options.unknown"),
        ({"agent": "docs-checker", "options": []}, "options"),
        ({"agent": "docs-checker", "options": {"pattern": "a\x00b"}}, "options"),
        ({"agent": "docs-checker", "options": {"x": ["\x00"]}}, "options"),
        ({"agent": "docs-checker", "options": {"x": "y" * 16_000}}, "options"),
        ([], ""),
    ],
    ids=str,
)
def test_an_invalid_body_is_refused_and_its_field_named(
    as_ann: httpx.Client, body: object, field: str
) -> None:
    assert invalid_fields(as_ann.post("/agents/run", json=body)) == [("body", field)]


def test_invalid_queries_paths_and_headers_are_refused_and_named(as_ann: httpx.Client) -> None:
    def fields_of(**query: str) -> list[tuple[str, str]]:
        return invalid_fields(as_ann.get("/agents/runs", params=query))

    assert fields_of(limit="0") == fields_of(limit="many") == fields_of(limit="201") == [("query", "limit")]
    assert fields_of(status="sleeping") == [("query", "status")]
    assert fields_of(before="no cursor") == fields_of(before="bm9uZSBhdCBhbGw") == [("query", "before")]
    for moment in ("0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59"):
        cursor = base64.urlsafe_b64encode(f"{moment} {uuid.uuid4()}".encode()).decode()
        assert fields_of(before=cursor) == [("query", "before")]
    assert fields_of(colour="blue") == [("query", "colour")]
    assert invalid_fields(as_ann.get("/agents/runs/none")) == [("path", "run_id")]
    key = {"Idempotency-Key": "no spaces please"}
    assert invalid_fields(as_ann.post("/agents/run", json=QUICK, headers=key)) == [
        ("header", "Idempotency-Key")
    ]
    json = {"Content-Type": "application/json"}
    assert invalid_fields(as_ann.post("/agents/run", content=b"{", headers=json)) == [("body", "")]
    problem(as_ann.get("/agents/nothing"), 404)
    assert problem(as_ann.delete("/agents/runs"), 405) == "Method Not Allowed"


def test_cancelling_stops_the_agent(api: Served, ann: Person, agent: WaitingAgent) -> None:
    agent.silent = True
    with calling(api.url, token_of(ann)) as client:
        run = start(client, {"agent": "waiting"})
        assert agent.at_work.acquire(timeout=60)
        detail = problem(client.post(f"/agents/runs/{run}/retry"), 409)
        assert detail == "This run is not finished: it cannot be tried again yet."
        answer = client.post(f"/agents/runs/{run}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert api.background.wait(run, timedelta(seconds=60))
        assert agent.stopped.is_set()
        found = client.get(f"/agents/runs/{run}").json()
    assert (found["status"], found["result"]) == ("cancelled", None)


def test_a_run_cancelled_in_the_database_stops_too(api: Served, ann: Person, agent: WaitingAgent) -> None:
    with calling(api.url, token_of(ann)) as client:
        run = start(client, {"agent": "waiting"})
    assert agent.at_work.acquire(timeout=60)
    ann.client.table("agent_runs").update({"status": "cancelled"}).eq("id", run).execute()
    assert api.background.wait(run, timedelta(seconds=60))
    assert agent.stopped.is_set()
    assert ann.client.table("agent_runs").select("status").eq("id", run).execute().data == [
        {"status": "cancelled"}
    ]

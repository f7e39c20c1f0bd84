"""Streams of the real server: programs that listen to it, and writes directly to the database."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stream_hub import MOST_PER_PERSON
from local_supabase.stack.runtime import StackInfo
from tests.api.listening import Mirror, Stream, listening
from tests.api.serving import calling, token_of
from tests.support.app import AppUnderTest
from tests.support.people import Person, sign_up, unique
from tests.support.wait import wait_until
from tests.verify.cast import owner


def post_message(person: Person, text: str) -> str:
    """Insert a message in the common room; return its id."""
    row: Any = person.client.table("tavern_messages").insert({"author_id": person.user_id, "body": text})
    return str(row.execute().data[0]["id"])


def start_run(person: Person, agent: str = "writer", **columns: object) -> str:
    """Insert a run of this person; return its id."""
    values = {"user_id": person.user_id, "agent_name": agent, "agent_id": agent, **columns}
    row: Any = person.client.table("agent_runs").insert(values)
    return str(row.execute().data[0]["id"])


@asynccontextmanager
async def following(server: AppUnderTest, person: Person, tables: str, **more: Any) -> AsyncIterator[Stream]:
    """Open a stream as this person, and wait until it is ready."""
    async with listening(server.url, token_of(person), tables, **more) as stream:
        await stream.next("ready")
        yield stream


async def test_changes_follow_the_callers_rights(server: AppUnderTest, stack: StackInfo, ann: Person) -> None:
    tables, bob = "tavern_messages,agent_runs", sign_up(stack, "Bob")  # a new Bob, who has no runs
    async with following(server, ann, tables) as hers, following(server, bob, tables) as his:
        run = await asyncio.to_thread(start_run, ann)
        text = unique("Hello")
        message = await asyncio.to_thread(post_message, ann, text)
        changes = await hers.change()
        assert (changes["table"], changes["op"], changes["key"]) == ("agent_runs", "INSERT", {"id": run})
        assert changes["row"]["agent_name"] == "writer"
        changes = await hers.change()
        assert (changes["op"], changes["row"]["body"]) == ("INSERT", text)
        # Bob's first change is the message: the run is not visible to him.
        assert (await his.change())["key"] == {"id": message}

        await asyncio.to_thread(
            lambda: ann.client.table("tavern_messages").update({"body": "Oh"}).eq("id", message).execute()
        )
        for stream in (hers, his):
            changes = await stream.change()
            assert (changes["op"], changes["row"]["body"]) == ("UPDATE", "Oh")
        await asyncio.to_thread(
            lambda: ann.client.table("tavern_messages").delete().eq("id", message).execute()
        )
        for stream in (hers, his):
            assert await stream.change() == {
                "table": "tavern_messages", "op": "DELETE", "key": {"id": message}, "row": None,
            }  # fmt: skip


async def test_filters_are_applied_by_the_server(server: AppUnderTest, ann: Person) -> None:
    agent = unique("agent")
    chosen = f"agent_runs:agent_name=eq.{agent},progress_percent=gte.50"
    async with following(server, ann, "agent_runs,tavern_messages", filter=chosen) as stream:

        def write() -> tuple[str, str]:
            start_run(ann, "other", progress_percent=80)
            start_run(ann, agent, progress_percent=10)
            one = start_run(ann, agent, progress_percent=60, cost_usd=0.25)
            ann.client.table("agent_runs").update({"progress_percent": 40}).eq("id", one).execute()
            return one, post_message(ann, "The end")

        one, end = await asyncio.to_thread(write)
        changes = [await stream.change()]
        while changes[-1]["key"]["id"] != end:
            changes.append(await stream.change())
        # Depending on when the stream polled, the run came and went, or never came.
        assert {(each["key"]["id"], each["op"]) for each in changes[:-1]} <= {
            (one, "INSERT"),
            (one, "DELETE"),
        }
        await asyncio.to_thread(
            lambda: ann.client.table("agent_runs").update({"progress_percent": 70}).eq("id", one).execute()
        )
        changes.append(await stream.change())
        assert changes[-1]["row"]["progress_percent"] == 70
        await asyncio.to_thread(
            lambda: ann.client.table("agent_runs").update({"progress_percent": 20}).eq("id", one).execute()
        )
        assert (await stream.change())["op"] == "DELETE"  # it does not pass the filter any more


async def test_a_snapshot_comes_first(server: AppUnderTest, ann: Person) -> None:
    agent = unique("agent")
    runs = [await asyncio.to_thread(start_run, ann, agent) for _ in range(3)]
    async with listening(
        server.url, token_of(ann), "agent_runs", filter=f"agent_name=eq.{agent}", snapshot=True
    ) as stream:
        events = [await stream.next("change", "ready") for _ in range(4)]
        assert [event.name for event in events] == ["change", "change", "change", "ready"]
        assert sorted(event.data["key"]["id"] for event in events[:3]) == sorted(runs)
        # A partial snapshot cannot be resumed, so its events have no id.
        assert [event.id for event in events[:3]] == [None] * 3
        runs.append(await asyncio.to_thread(start_run, ann, agent))
        assert (await stream.change())["key"] == {"id": runs[-1]}


async def test_a_stream_cut_off_in_the_middle_of_an_answer_misses_nothing(
    server: AppUnderTest, stack: StackInfo, ann: Person
) -> None:
    name = unique("crowd")
    mirror = Mirror()
    async with following(server, ann, "tavern_messages") as stream:
        last = stream.last_id
        with owner(stack) as cursor:  # 250 rows in one transaction: one answer, in three reads
            cursor.execute(
                "insert into public.tavern_messages (author_id, body)"
                " select %s, %s || ' ' || n from generate_series(1, 250) as n",
                (ann.user_id, name),
            )
        for _ in range(120):
            event = await stream.next("change")
            mirror.apply(event)
            assert event.id is None
        assert stream.last_id == last
    with owner(stack) as cursor:
        cursor.execute("delete from public.tavern_messages where body = %s", (f"{name} 1",))
    async with listening(server.url, token_of(ann), "tavern_messages", last_id=last) as stream:
        while mirror.count("tavern_messages", lambda row: row["body"].startswith(name)) < 249:
            mirror.apply(await stream.next("change"))
        while event.id is None:
            mirror.apply(event := await stream.next("change"))
    assert mirror.count("tavern_messages", lambda row: row["body"].startswith(name)) == 249
    assert event.id == stream.last_id != last


async def test_an_unknown_cursor_is_answered_with_resync(server: AppUnderTest, ann: Person) -> None:
    run = await asyncio.to_thread(start_run, ann)
    mirror = Mirror({"agent_runs": {"old row": {}}})
    async with listening(server.url, token_of(ann), "agent_runs", last_id="9" * 18) as stream:
        names: list[str] = []
        while names.count("ready") < 2:  # once when the stream is open, once when all rows have come
            event = await stream.next("resync", "change", "ready")
            names.append(event.name)
            mirror.apply(event)
    assert names[:2] == ["ready", "resync"]
    assert run in mirror.rows("agent_runs")
    assert "old row" not in mirror.rows("agent_runs")


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({}, "tables", "Field required"),
        ({"tables": " , "}, "tables", "Name one table at least"),
        ({"tables": "users,change_log"}, "tables", "There is no table 'change_log'"),
        ({"tables": "users", "filter": "role=almost.x"}, "filter", "there is no operator 'almost'"),
        ({"tables": "users", "filter": "nothing=eq.1"}, "filter", "nothing does not exist"),
        ({"tables": "users", "filter": "limit=eq.1"}, "filter", "no column 'limit'"),
        ({"tables": "agent_runs", "filter": "tokens=eq.many"}, "filter", "invalid input syntax"),
        ({"tables": "users,events", "filter": "role=eq.admin"}, "filter", "users:column=eq.value"),
        ({"tables": "users", "filter": "events:title=eq.x"}, "filter", "not among the tables"),
        ({"tables": "users", "filter": "bio=eq." + "x" * 3000}, "filter", "2,000 characters"),
        ({"tables": "users", "snapshot": "perhaps"}, "snapshot", "boolean"),
        ({"tables": "users", "last_event_id": "1" * 500}, "last_event_id", "at most 400 characters"),
    ],
)
def test_invalid_parameters_are_refused_and_named(
    as_ann: httpx.Client, query: dict[str, str], field: str, message: str
) -> None:
    answer = as_ann.get("/stream", params=query)
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert (problem["place"], problem["field"]) == ("query", field)
    assert message in problem["message"]


async def test_a_ticket_opens_one_stream(
    server: AppUnderTest, as_ann: httpx.Client, as_nobody: httpx.Client, ann: Person
) -> None:
    answer = await asyncio.to_thread(as_ann.post, "/stream/ticket")
    assert (answer.status_code, answer.json()["expires_in"]) == (201, 30)
    ticket = answer.json()["ticket"]
    async with listening(server.url, None, "agent_runs", ticket=ticket) as stream:
        await stream.next("ready")
        run = await asyncio.to_thread(start_run, ann)
        assert (await stream.change())["key"] == {"id": run}
    again = await asyncio.to_thread(as_nobody.get, "/stream", params={"tables": "users", "ticket": ticket})
    assert (again.status_code, "used before" in again.json()["detail"]) == (401, True)
    assert ticket not in server.log()
    assert token_of(ann) not in server.log()


def test_visitors_cannot_open_streams(as_nobody: httpx.Client) -> None:
    assert as_nobody.post("/stream/ticket").status_code == 401
    assert as_nobody.get("/stream", params={"tables": "users"}).status_code == 401


async def test_a_person_has_a_limited_number_of_streams(server: AppUnderTest, bob: Person) -> None:
    async with AsyncExitStack() as streams:
        for _ in range(MOST_PER_PERSON):
            await streams.enter_async_context(following(server, bob, "users"))
        with calling(server.url, token_of(bob)) as client:
            answer = await asyncio.to_thread(client.get, "/stream", params={"tables": "users"})
            assert answer.status_code == 429
            assert int(answer.headers["Retry-After"]) > 0

    async def has_room() -> bool:
        try:
            async with following(server, bob, "users"):
                return True
        except AssertionError:
            return False

    await wait_until(has_room, what="room")  # type: ignore[arg-type]  # mypy takes T for a coroutine


async def test_a_stopping_server_ends_its_streams(stack: StackInfo, ann: Person, tmp_path: Path) -> None:
    server = AppUnderTest({"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}, tmp_path / "log")
    await asyncio.to_thread(server.start)
    try:
        async with following(server, ann, "users") as stream:
            os.kill(server.pid, signal.SIGTERM)
            await stream.ended()  # a complete answer, not a broken connection
        await wait_until(lambda: not server.running, what="the server to end")
    finally:
        server.stop()
    assert server.tracebacks() == []
    assert "ERROR" not in server.log()


def test_the_schema_lists_the_tables_that_can_be_streamed(as_nobody: httpx.Client) -> None:
    operation = as_nobody.get("/openapi.json").json()["paths"]["/stream"]["get"]
    assert "text/event-stream" in operation["responses"]["200"]["content"]
    (tables,) = [one for one in operation["parameters"] if one["name"] == "tables"]
    assert "agent_runs, " in tables["description"]
    assert "change_log" not in json.dumps(operation)

"""Streams survive outages and open transactions, end with their token, and do not queue for slow callers."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import pytest

from api.stream_feed import Pace
from api.stream_hub import Hub
from livetables.feed.reads import Reader
from local_supabase.stack.runtime import StackInfo
from tests.api.listening import Event, Mirror, Stream, listening
from tests.api.serving import served, token_of
from tests.livetables.fault_proxy import FaultProxy, fault_proxy
from tests.support.people import Person, unique
from tests.support.wait import wait_until

QUICK = Pace(heartbeat=0.1, poll_without_engine=0.05, min_interval=0.01, first_retry=0.05, longest_retry=0.1)


@dataclass(slots=True)
class Api:
    """An API in this process. Its engine does not run, so its streams find changes by polling."""

    url: str
    hub: Hub
    proxy: FaultProxy
    clock_offset: list[float] = field(default_factory=lambda: [0.0])

    @property
    def polls(self) -> int:
        """How often the only stream has polled for changes; 0 until it is open."""
        streams = [one.stream for one in self.hub.sessions.values() if one.stream is not None]
        return streams[0].sources.log.requests if streams else 0


@contextmanager
def serving(stack: StackInfo) -> Iterator[Api]:
    """Serve the API through a proxy that can fail."""
    with fault_proxy(stack.url) as proxy, served(proxy.url, stack.anon_key) as api:
        clock_offset = [0.0]
        hub = api.app.state.streams = Hub(lambda: time.time() + clock_offset[0], QUICK)
        yield Api(api.url, hub, proxy, clock_offset)


@asynccontextmanager
async def following(api: Api, person: Person, **more: Any) -> AsyncIterator[Stream]:
    """Open a stream of the common room as this person, and wait until it is ready."""
    async with listening(api.url, token_of(person), "tavern_messages", **more) as stream:
        await stream.next("ready")
        yield stream


def write(stack: StackInfo, statement: str, *values: object) -> list[Any]:
    """Run one statement as the owner of the database; return what it returns."""
    connection = psycopg2.connect(stack.database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def post_messages(stack: StackInfo, person: Person, *texts: str) -> list[str]:
    """Insert messages in the common room; return their ids."""
    rows = write(
        stack,
        "insert into public.tavern_messages (author_id, body) select %s, unnest(%s) returning id::text",
        person.user_id,
        list(texts),
    )
    return [row[0] for row in rows]


async def test_a_stream_survives_an_outage_of_the_database(stack: StackInfo, ann: Person) -> None:
    with serving(stack) as api:
        async with following(api, ann) as stream:
            await asyncio.to_thread(api.proxy.refuse)
            ids = post_messages(stack, ann, "one", "two")
            polls = api.polls
            await wait_until(lambda: api.polls > polls + 2, what="polls that fail")
            ids += post_messages(stack, ann, "three")
            await asyncio.to_thread(api.proxy.accept)
            assert [(await stream.change())["key"]["id"] for _ in ids] == ids


async def test_a_stream_ends_with_its_token_and_resumes_with_the_next(stack: StackInfo, ann: Person) -> None:
    with serving(stack) as api:
        async with following(api, ann) as stream:
            api.clock_offset[0] = 4000  # seconds later
            await stream.next("expired")
            await stream.ended()
        await wait_until(lambda: len(api.hub) == 0, what="the stream to be closed")
        api.clock_offset[0] = 0
        (message,) = post_messages(stack, ann, "Meanwhile")
        async with following(api, ann, last_id=stream.last_id) as stream:
            assert (await stream.change())["key"] == {"id": message}


async def test_a_heartbeat_moves_the_cursor(stack: StackInfo, ann: Person) -> None:
    with serving(stack) as api:
        async with following(api, ann, filter="body=eq.nothing") as stream:
            before = stream.last_id
            (message,) = post_messages(stack, ann, unique("Not for this stream"))
            assert (await stream.next("")).id is not None

            async def moved() -> bool:
                return (await stream.next("")).id != before

            await wait_until(moved, what="the cursor")  # type: ignore[arg-type]  # mypy takes T for a coroutine
            # A row that was never sent needs no DELETE.
            write(stack, "delete from public.tavern_messages where id = %s", message)
            write(stack, "delete from public.tavern_messages where body = 'nothing'")
            last = post_messages(stack, ann, "nothing")
            changes = [await stream.change()]
            while changes[-1]["key"]["id"] != last[0]:
                changes.append(await stream.change())
            assert {each["key"]["id"] for each in changes} <= {message, last[0]}


async def test_a_state_that_the_log_repeats_is_sent_once(stack: StackInfo, ann: Person) -> None:
    connection = psycopg2.connect(stack.database_url)
    try:
        with connection.cursor() as cursor:
            # An open transaction holds the cursor, so the log repeats everything since then with every poll.
            cursor.execute("select pg_current_xact_id()")
            with serving(stack) as api:
                async with following(api, ann) as stream:
                    (first,) = post_messages(stack, ann, "first")
                    assert (await stream.change())["key"] == {"id": first}
                    polls = api.polls
                    await wait_until(lambda: api.polls > polls + 2, what="polls that repeat the change")
                    (second,) = post_messages(stack, ann, "second")
                    assert (await stream.change())["key"] == {"id": second}
                    write(stack, "update public.tavern_messages set body = 'third' where id = %s", first)
                    assert (await stream.change())["row"]["body"] == "third"
    finally:
        connection.close()


async def test_nothing_is_queued_for_a_caller_who_does_not_read(stack: StackInfo, ann: Person) -> None:
    rounds, texts = 0, [unique("x") + "🍺" * 1900 for _ in range(40)]
    ids = post_messages(stack, ann, *texts)

    async def change_all() -> None:
        nonlocal rounds
        rounds += 1
        await asyncio.to_thread(
            write,
            stack,
            "update public.tavern_messages set body = %s || right(body, 1900) where id = any(%s::uuid[])",
            f"{rounds:04} ",
            ids,
        )

    with serving(stack) as api:
        async with _unread(api.url, token_of(ann)) as reader:
            await wait_until(lambda: api.polls > 1, what="the stream")
            while await _still_polls(api):
                await change_all()
            polls, before = api.polls, rounds
            for _ in range(15):
                await change_all()
            assert api.polls == polls  # it waits for its caller, not for the database
            mirror, changes = Mirror(), 0
            async with asyncio.timeout(60):
                async for event in _read(reader):
                    mirror.apply(event)
                    changes += event.name == "change"
                    if mirror.count("tavern_messages", lambda row: row["body"][:4] == f"{rounds:04}") == 40:
                        break
    # The rounds that the caller did not read come as one or two.
    assert changes <= 40 * (before + 3)


async def _still_polls(api: Api) -> bool:
    """Return whether the stream polls within a second; its interval is a twentieth of that."""
    polls = api.polls
    try:
        await wait_until(lambda: api.polls != polls, within=1, what="one more poll")
    except AssertionError:
        return False
    return True


@asynccontextmanager
async def _unread(url: str, token: str) -> AsyncIterator[asyncio.StreamReader]:
    """Open a stream and read nothing of it; only the system's buffers fill."""
    host, port = url.removeprefix("http://").split(":")
    # Until somebody reads from it, the reader buffers a few kilobytes and then stops.
    reader, writer = await asyncio.open_connection(host, int(port), limit=4096)
    request = f"GET /api/stream?tables=tavern_messages HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(request.encode())
    try:
        yield reader
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> AsyncIterator[Event]:
    rest, name = b"", ""
    while piece := await reader.read(65_536):
        *lines, rest = (rest + piece).split(b"\r\n")
        for line in lines:
            if line.startswith(b"event: "):
                name = line[7:].decode()
            elif line.startswith(b"data: ") and name == "change":
                yield Event(name, None, json.loads(line[6:]))


async def test_a_fault_delays_a_stream_and_does_not_end_it(
    stack: StackInfo, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_key, faults = Reader.by_key, [KeyError("a renamed column"), ZeroDivisionError()]

    async def broken_twice(reader: Reader, *arguments: Any) -> Any:
        if faults:
            raise faults.pop()
        return await by_key(reader, *arguments)

    with serving(stack) as api:
        async with following(api, ann) as stream:
            monkeypatch.setattr(Reader, "by_key", broken_twice)
            (message,) = post_messages(stack, ann, "after the fault")
            assert (await stream.change())["key"] == {"id": message}
    assert not faults

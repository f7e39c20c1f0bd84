"""A stream through what happens to it: outages, a token that ends, a caller that does not read."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2

from api.stream_feed import Pace
from api.stream_hub import Hub
from local_supabase.runtime import StackInfo
from tests.api.listening import Event, Mirror, Stream, listening
from tests.api.serving import served, token_of
from tests.live.fault_proxy import FaultProxy, fault_proxy
from tests.support.people import Person, unique
from tests.support.wait import wait_until

QUICK = Pace(heartbeat=0.1, look_unfed=0.05, rest=0.01, first_retry=0.05, longest_retry=0.1)


@dataclass(slots=True)
class Api:
    """An API of this process; its engine is not running, so its streams find changes by looking."""

    url: str
    hub: Hub
    proxy: FaultProxy
    late: list[float] = field(default_factory=lambda: [0.0])

    @property
    def asked(self) -> int:
        """How often the only stream there is has asked for changes; 0 until it is open."""
        feeds = [place.feed for place in self.hub._places.values() if place.feed is not None]
        return feeds[0]._sources.log.requests if feeds else 0


@contextmanager
def serving(stack: StackInfo) -> Iterator[Api]:
    """Serve the API through a proxy that can fail."""
    with fault_proxy(stack.url) as proxy, served(proxy.url, stack.anon_key) as api:
        late = [0.0]
        hub = api.app.state.streams = Hub(lambda: time.time() + late[0], QUICK)
        yield Api(api.url, hub, proxy, late)


@asynccontextmanager
async def following(api: Api, person: Person, **more: Any) -> AsyncIterator[Stream]:
    """Listen to the common room as this person."""
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


def say(stack: StackInfo, person: Person, *texts: str) -> list[str]:
    """Say something; return the ids."""
    rows = write(
        stack,
        "insert into public.tavern_messages (author_id, body) select %s, unnest(%s) returning id::text",
        person.user_id,
        list(texts),
    )
    return [row[0] for row in rows]


async def test_an_outage_of_the_database_is_outlived(stack: StackInfo, ann: Person) -> None:
    with serving(stack) as api:
        async with following(api, ann) as stream:
            await asyncio.to_thread(api.proxy.refuse)
            ids = say(stack, ann, "one", "two")
            asked = api.asked
            await wait_until(lambda: api.asked > asked + 2, what="the stream to ask in vain")
            ids += say(stack, ann, "three")
            await asyncio.to_thread(api.proxy.accept)
            assert [(await stream.change())["key"]["id"] for _ in ids] == ids


async def test_a_stream_ends_with_its_token_and_goes_on_with_the_next(stack: StackInfo, ann: Person) -> None:
    with serving(stack) as api:
        async with following(api, ann) as stream:
            api.late[0] = 4000  # seconds later
            await stream.next("expired")
            await stream.ended()
        await wait_until(lambda: len(api.hub) == 0, what="the stream's place to be given back")
        api.late[0] = 0
        (said,) = say(stack, ann, "Meanwhile")
        async with following(api, ann, last_id=stream.last_id) as stream:
            assert (await stream.change())["key"] == {"id": said}


async def test_a_sign_of_life_moves_the_cursor_along(stack: StackInfo, ann: Person) -> None:
    with serving(stack) as api:
        async with following(api, ann, filter="body=eq.nothing") as stream:
            before = stream.last_id
            (said,) = say(stack, ann, unique("Not for this stream"))
            assert (await stream.next("")).id is not None

            async def moved() -> bool:
                return (await stream.next("")).id != before

            await wait_until(moved, what="the cursor")  # type: ignore[arg-type]  # mypy takes T for a coroutine
            # What was never told need not be taken back.
            write(stack, "delete from public.tavern_messages where id = %s", said)
            write(stack, "delete from public.tavern_messages where body = 'nothing'")
            last = say(stack, ann, "nothing")
            told = [await stream.change()]
            while told[-1]["key"]["id"] != last[0]:
                told.append(await stream.change())
            assert {each["key"]["id"] for each in told} <= {said, last[0]}


async def test_states_that_are_told_once_more_are_sent_once(stack: StackInfo, ann: Person) -> None:
    connection = psycopg2.connect(stack.database_url)
    try:
        with connection.cursor() as cursor:
            # A transaction that stays open holds the cursor where it is: everything since is told every time.
            cursor.execute("select pg_current_xact_id()")
            with serving(stack) as api:
                async with following(api, ann) as stream:
                    (first,) = say(stack, ann, "first")
                    assert (await stream.change())["key"] == {"id": first}
                    asked = api.asked
                    await wait_until(lambda: api.asked > asked + 2, what="the same to be told again")
                    (second,) = say(stack, ann, "second")
                    assert (await stream.change())["key"] == {"id": second}
                    write(stack, "update public.tavern_messages set body = 'third' where id = %s", first)
                    assert (await stream.change())["row"]["body"] == "third"
    finally:
        connection.close()


async def test_a_caller_who_does_not_read_makes_nothing_pile_up(stack: StackInfo, ann: Person) -> None:
    rounds, texts = 0, [unique("x") + "🍺" * 1900 for _ in range(40)]
    ids = say(stack, ann, *texts)

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
            await wait_until(lambda: api.asked > 1, what="the stream")
            while await _goes_on_asking(api):
                await change_all()
            asked, before = api.asked, rounds
            for _ in range(15):
                await change_all()
            assert api.asked == asked  # it waits for its caller, not for the database
            mirror, told = Mirror(), 0
            async with asyncio.timeout(60):
                async for event in _read(reader):
                    mirror.take(event)
                    told += event.name == "change"
                    if mirror.count("tavern_messages", lambda row: row["body"][:4] == f"{rounds:04}") == 40:
                        break
    # The rounds that were slept through are told as one or two.
    assert told <= 40 * (before + 3)


async def _goes_on_asking(api: Api) -> bool:
    """Tell whether the stream asks within a second, of which it needs a twentieth."""
    asked = api.asked
    try:
        await wait_until(lambda: api.asked != asked, within=1, what="one more question")
    except AssertionError:
        return False
    return True


@asynccontextmanager
async def _unread(url: str, token: str) -> AsyncIterator[asyncio.StreamReader]:
    """Open a stream and take nothing of it but what fits into the system's buffers."""
    host, port = url.removeprefix("http://").split(":")
    # Until it is read from, the reader takes a few kilobytes and then stops.
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

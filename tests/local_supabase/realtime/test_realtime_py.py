"""The unchanged client of Python, realtime-py, against a running server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from realtime import (
    AsyncRealtimeChannel,
    AsyncRealtimeClient,
    RealtimePostgresChangesListenEvent,
    RealtimeSubscribeStates,
)
from realtime.types import PostgresChangesPayload

from tests.local_supabase.realtime.conftest import Realtime, token
from tests.support.wait import wait_until

EVERY = RealtimePostgresChangesListenEvent.All
MakeTable = Callable[..., Awaitable[str]]


@pytest.fixture
async def python(realtime: Realtime) -> AsyncIterator[AsyncRealtimeClient]:
    client = AsyncRealtimeClient(realtime.url, token())
    yield client
    await client.close()


class Log:
    """What a channel's callbacks received."""

    def __init__(self, channel: AsyncRealtimeChannel) -> None:
        self.states: list[RealtimeSubscribeStates] = []
        self.system: list[dict[str, Any]] = []
        self.changes: list[PostgresChangesPayload] = []
        self._channel = channel
        channel.on_system(lambda payload: self.system.append(dict(payload)))

    async def subscribe(self) -> None:
        await self._channel.subscribe(lambda state, _: self.states.append(state))

    async def in_force(self) -> None:
        await wait_until(
            lambda: any(message["message"] == "Subscribed to PostgreSQL" for message in self.system),
            what="the subscription",
        )


async def test_it_receives_changes_and_leaves(
    python: AsyncRealtimeClient, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text")
    channel = python.channel("room")
    log = Log(channel)
    channel.on_postgres_changes(EVERY, log.changes.append, table=name, schema="public")
    await log.subscribe()
    await log.in_force()

    await sql.execute(f"insert into {name} values (1, 'a')")
    await sql.execute(f"update {name} set body = 'b'")
    await sql.execute(f"delete from {name}")

    await wait_until(lambda: len(log.changes) == 3, what="three changes")
    assert [change["data"]["type"] for change in log.changes] == ["INSERT", "UPDATE", "DELETE"]
    assert log.states == [RealtimeSubscribeStates.SUBSCRIBED]
    await channel.unsubscribe()
    await wait_until(lambda: log.states[-1] is RealtimeSubscribeStates.CLOSED, what="the channel's end")


async def test_it_reports_a_bad_filter(python: AsyncRealtimeClient, table: MakeTable) -> None:
    name = await table("id int primary key")
    channel = python.channel("room")
    log = Log(channel)
    channel.on_postgres_changes(EVERY, log.changes.append, table=name, schema="public", filter="nothing=eq.1")
    await log.subscribe()
    await wait_until(
        lambda: RealtimeSubscribeStates.CHANNEL_ERROR in log.states, what="the error of the subscription"
    )
    assert log.changes == []


async def test_it_sees_others_join_and_leave(realtime: Realtime, python: AsyncRealtimeClient) -> None:
    other = AsyncRealtimeClient(realtime.url, token())
    room, others_room = python.channel("room"), other.channel("room")
    joined: list[str] = []
    left: list[str] = []
    room.on_presence_join(lambda key, _, __: joined.append(key))
    room.on_presence_leave(lambda key, _, __: left.append(key))
    others_room.on_presence_sync(lambda: None)
    await room.subscribe()
    await others_room.subscribe()

    await others_room.track({"name": "Ada"})
    await wait_until(lambda: joined, what="the join")
    assert room.presence_state()[joined[0]][0]["name"] == "Ada"  # type: ignore[typeddict-item]  # own payload
    await other.close()
    await wait_until(lambda: left == joined, what="the leave")


async def test_it_exchanges_broadcasts(realtime: Realtime, python: AsyncRealtimeClient) -> None:
    other = AsyncRealtimeClient(realtime.url, token())
    room, others_room = python.channel("room"), other.channel("room")
    received: list[Any] = []
    room.on_broadcast("hello", received.append)
    await room.subscribe()
    await others_room.subscribe()

    await others_room.send_broadcast("hello", {"to": "all"})
    await others_room.http_send("hello", {"over": "http"})
    await wait_until(lambda: len(received) == 2, what="two broadcasts")

    assert [message["payload"] for message in received] == [{"to": "all"}, {"over": "http"}]
    await other.close()


async def test_a_pushed_token_subscribes_again(
    realtime: Realtime, python: AsyncRealtimeClient, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(f"create policy members on {name} for select to authenticated using (true)")
    channel = python.channel("room")
    log = Log(channel)
    channel.on_postgres_changes(EVERY, log.changes.append, table=name, schema="public")
    await log.subscribe()
    await log.in_force()
    await sql.execute(f"insert into {name} values (1)")
    checks = realtime.server.services.changes.fanout.counters
    await wait_until(lambda: checks.checks == 1, what="the check of the visitor's rights")

    log.system.clear()
    await python.set_auth(token("authenticated"))
    await log.in_force()
    await sql.execute(f"insert into {name} values (2)")

    await wait_until(lambda: log.changes, what="a change")
    assert [change["data"]["record"] for change in log.changes] == [{"id": 2}]


async def test_the_end_of_a_token_ends_the_channel(python: AsyncRealtimeClient) -> None:
    await python.set_auth(token("authenticated", lifetime=5))
    channel = python.channel("room")
    log = Log(channel)
    await log.subscribe()
    await wait_until(lambda: log.states[-1] is RealtimeSubscribeStates.CLOSED, what="the channel's end")
    assert RealtimeSubscribeStates.CHANNEL_ERROR in log.states
    assert python.is_connected

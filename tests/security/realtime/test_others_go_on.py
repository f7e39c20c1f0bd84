"""One subscriber's bindings, policies and filters, and cancelled queries, beside somebody who listens."""

import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from realtime import AsyncRealtimeChannel, AsyncRealtimeClient, RealtimePostgresChangesListenEvent
from realtime.types import PostgresChangesPayload

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.realtime.client import Client, connect
from tests.support.people import sign_up
from tests.support.stack import superuser_url
from tests.support.wait import wait_until

LOCK = 4711
_CANCEL = """
select count(pg_cancel_backend(pid)) from pg_stat_activity
where usename = 'supabase_realtime_authenticator' and state = 'active'
  and query like '%_realtime.visible_rows%' and pid <> pg_backend_pid()
"""


class Listener:
    """A channel of realtime-py on one table, and what it was told."""

    def __init__(self, channel: AsyncRealtimeChannel, table: str) -> None:
        self._channel = channel
        self.system: list[dict[str, Any]] = []
        self._changes: list[PostgresChangesPayload] = []
        channel.on_system(lambda payload: self.system.append(dict(payload)))
        channel.on_postgres_changes(
            RealtimePostgresChangesListenEvent.Insert, self._changes.append, table=table, schema="public"
        )

    async def subscribe(self) -> None:
        await self._channel.subscribe()
        await wait_until(lambda: self.system, what="the subscription")
        assert self.system[0]["status"] == "ok", self.system

    @property
    def ids(self) -> list[object]:
        return [(change["data"]["record"] or {}).get("id") for change in self._changes]

    async def wait_for(self, ids: Sequence[object]) -> None:
        await wait_until(lambda: self.ids == list(ids), what=f"the rows {ids}")


Listen = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def listen(stack: StackInfo) -> AsyncIterator[Listen]:
    """Return a function that subscribes to a table, as a visitor or with a person's token."""
    async with AsyncExitStack() as opened:

        async def subscribe(table: str, token: str = "") -> Listener:
            client = AsyncRealtimeClient(f"{stack.url}/realtime/v1", stack.anon_key)
            opened.push_async_callback(client.close)
            await client.connect()
            await client.set_auth(token or stack.anon_key)
            listener = Listener(client.channel("room"), table)
            await listener.subscribe()
            return listener

        yield subscribe


@pytest.fixture
async def hostile(stack: StackInfo) -> AsyncIterator[Client]:
    async with connect(f"{stack.url}/realtime/v1".replace("http", "ws", 1), stack.anon_key) as client:
        yield client


@pytest.fixture
async def sql(stack: StackInfo) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def table(sql: asyncpg.Connection) -> AsyncIterator[str]:
    """A table whose policy for visitors takes as long as this test holds a lock."""
    name = f"attacked_{uuid.uuid4().hex[:8]}"
    await sql.execute(
        f"create table public.{name} (id int primary key, body text); "
        f"alter table public.{name} enable row level security; "
        f"grant select on public.{name} to anon, authenticated; "
        f"create policy quick on public.{name} for select to authenticated using (true); "
        f"create policy slow on public.{name} for select to anon "
        f"using (pg_advisory_xact_lock_shared({LOCK}) is not null); "
        f"alter publication supabase_realtime add table public.{name}"
    )
    yield name
    await sql.execute("select pg_advisory_unlock_all()")
    await sql.execute(f"drop table public.{name}")


@pytest.fixture(scope="module")
def token(stack: StackInfo) -> str:
    session = sign_up(stack, "Listener").client.auth.get_session()
    assert session is not None
    return session.access_token


async def test_a_join_with_40_000_bindings_is_refused_while_others_join_and_listen(
    listen: Listen, hostile: Client, sql: asyncpg.Connection, table: str, token: str
) -> None:
    bindings = [{"event": "*", "schema": "public", "table": table}] * 40_000
    await hostile.send("realtime:room", "phx_join", {"config": {"postgres_changes": bindings}}, "1")
    other = await listen(table, token)
    await sql.execute(f"insert into {table} values (1)")
    await other.wait_for([1])
    # Its refusal waits for some seconds, as hosted; nothing of it is in force.
    assert [one for one in await hostile.settle() if "postgres_changes" in json.dumps(one)] == []


async def test_a_policy_that_waits_holds_up_its_own_subscriber_only(
    listen: Listen, sql: asyncpg.Connection, table: str, token: str
) -> None:
    slow, quick = await listen(table), await listen(table, token)
    await sql.execute(f"select pg_advisory_lock({LOCK})")
    for number in (1, 2, 3):
        await sql.execute(f"insert into {table} values ({number})")
        await quick.wait_for(range(1, number + 1))
    assert slow.ids == []
    await sql.execute(f"select pg_advisory_unlock({LOCK})")
    await slow.wait_for([1, 2, 3])


async def test_cancelled_queries_lose_nothing_and_silence_nobody(
    listen: Listen, stack: StackInfo, sql: asyncpg.Connection, table: str, token: str
) -> None:
    slow, quick = await listen(table), await listen(table, token)
    operator = await asyncpg.connect(superuser_url(stack.database_url, stack.data_dir))
    await sql.execute(f"select pg_advisory_lock({LOCK})")
    await sql.execute(f"insert into {table} values (1)")
    await wait_until(lambda: operator.fetchval(_CANCEL), what="a query to cancel")
    await sql.execute(f"select pg_advisory_unlock({LOCK})")
    await sql.execute(f"insert into {table} values (2)")
    for listener in (slow, quick):
        await listener.wait_for([1, 2])
        assert [message["status"] for message in listener.system] == ["ok"]
    await operator.close()


async def test_a_pattern_that_fails_on_a_row_silences_nobody(
    listen: Listen, hostile: Client, sql: asyncpg.Connection, table: str, token: str
) -> None:
    other = await listen(table, token)
    wanted = {"event": "*", "schema": "public", "table": table, "filter": "body=like.\\%x\\"}
    await hostile.join("room", {"postgres_changes": [wanted]})
    assert (await hostile.event("system"))["payload"]["status"] == "error"
    await sql.execute(f"insert into {table} values (1, '%x'), (2, '%x\\')")
    await other.wait_for([1, 2])
    later = await listen(table, token)
    await sql.execute(f"insert into {table} values (3, 'a')")
    await later.wait_for([3])
    await other.wait_for([1, 2, 3])
    assert [one for one in await hostile.settle() if "postgres_changes" in json.dumps(one)] == []

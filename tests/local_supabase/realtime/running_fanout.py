"""A fan-out behind a real replication stream, with subscribers that record what they are sent."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

from local_supabase.identity import Identity
from local_supabase.realtime.catalog import PUBLICATION
from local_supabase.realtime.changes import RowChange
from local_supabase.realtime.fanout import Fanout, FanoutEvents
from local_supabase.realtime.lanes import Budgets
from local_supabase.realtime.replication import ReplicationStream, StreamConfig
from local_supabase.realtime.subscriptions import Binding, Subscriptions, read_parameters
from tests.local_supabase.realtime.conftest import Postgres
from tests.support.wait import wait_until

MakeTable = Callable[..., Awaitable[str]]


def identity(role: str = "anon") -> Identity:
    return Identity(role, {"role": role}, f'{{"role":"{role}"}}')


class Recorder:
    """A subscriber that keeps the changes it is sent."""

    def __init__(self, role: str = "anon") -> None:
        self.identity = identity(role)
        self.sent: list[tuple[list[int], dict[str, object]]] = []
        self.ended: list[tuple[int, str]] = []

    def send_change(self, ids: Sequence[int], data: bytes) -> None:
        self.sent.append((list(ids), orjson.loads(data)))

    def end_binding(self, binding: Binding, reason: str) -> None:
        self.ended.append((binding.id, reason))

    def disconnect(self, code: int) -> None:
        raise AssertionError(code)

    @property
    def records(self) -> list[object]:
        return [data["record"] for _, data in self.sent]

    async def wait_for(self, count: int) -> None:
        await wait_until(lambda: len(self.sent) >= count, what=f"{count} changes")


@dataclass(slots=True)
class Running:
    """A running fan-out and what it reported."""

    subscriptions: Subscriptions
    fanout: Fanout
    reported: list[str] = field(default_factory=list)
    message_rows: list[RowChange] = field(default_factory=list)

    def subscribe(self, subscriber: Recorder, table: str, binding_id: int = 1, **parameters: object) -> None:
        wanted = read_parameters({"schema": "public", "table": table} | parameters)
        self.subscriptions.add([Binding(binding_id, wanted, subscriber, {})])


@asynccontextmanager
async def running_fanout(
    postgres: Postgres,
    publications: Sequence[str] = (PUBLICATION,),
    budgets: Budgets = Budgets(),  # noqa: B008  # immutable
) -> AsyncIterator[Running]:
    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(postgres.login_dsn, server_settings={"application_name": "fanout"})

    log = logging.getLogger("tests.realtime")
    subscriptions = Subscriptions()
    events = FanoutEvents(
        message_row=lambda change: made.message_rows.append(change),
        started=lambda: made.reported.append("started"),
        lost=lambda: made.reported.append("lost"),
    )
    made = Running(subscriptions, Fanout(subscriptions, connect, log, events, budgets))
    stream = ReplicationStream(StreamConfig(postgres.dsn, publications), made.fanout, log)
    made.fanout.resume = stream.resume
    tasks = [asyncio.create_task(stream.run()), asyncio.create_task(made.fanout.run())]
    try:
        await wait_until(lambda: made.reported == ["started"], what="the stream")
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        made.fanout.close()


async def wait_for_check(sql: asyncpg.Connection) -> None:
    await wait_until(
        lambda: sql.fetchval("select true from pg_locks where locktype = 'advisory' and not granted"),
        what="the check to wait for the lock",
    )


async def held_table(sql: asyncpg.Connection, table: MakeTable, lock: int) -> str:
    """Return a table whose policy waits while `sql` holds an advisory lock, which it now does."""
    name = await table("id int primary key", rls=True)
    await sql.execute(
        f"create policy held on {name} for select to anon "
        f"using (pg_advisory_xact_lock_shared({lock}) is not null)"
    )
    await sql.execute(f"select pg_advisory_lock({lock})")
    return name


@asynccontextmanager
async def commits_held(postgres: Postgres, sql: asyncpg.Connection) -> AsyncIterator[None]:
    """Keep logged commits invisible, as they are while a synchronous standby does not answer."""
    probe = await asyncpg.connect(postgres.dsn)
    probing: list[asyncio.Task[object]] = []

    async def holds() -> Any:
        # The checkpointer tells the others of the standby, some time after they have read the setting.
        if not probing or probing[-1].done():
            message = "select pg_logical_emit_message(true, 'probe', '')"
            probing.append(asyncio.create_task(probe.execute(message)))
        waiting = "select wait_event = 'SyncRep' from pg_stat_activity where pid = $1"
        return await sql.fetchval(waiting, probe.get_server_pid())

    await sql.execute("alter system set synchronous_standby_names = 'nobody'")
    await sql.execute("select pg_reload_conf()")
    try:
        await wait_until(holds, what="commits to be held")
        yield
    finally:
        await sql.execute("alter system reset synchronous_standby_names")
        await sql.execute("select pg_reload_conf()")
        await asyncio.gather(*probing)
        await probe.close()


@asynccontextmanager
async def fanout_held(postgres: Postgres, sql: asyncpg.Connection, table: str) -> AsyncIterator[None]:
    """Insert the row 1 into a table, and keep the fan-out waiting until this commit can be seen."""
    await sql.execute("set synchronous_commit = local")
    writer = await asyncpg.connect(postgres.dsn)
    async with commits_held(postgres, sql):
        committing = asyncio.create_task(writer.execute(f"insert into {table} values (1)"))
        await wait_until(
            lambda: sql.fetchval(
                "select true from pg_stat_activity "
                "where application_name = 'fanout' and state = 'active' and query like '%visible%'"
            ),
            what="the fan-out to wait until the transaction is visible",
        )
        yield
    await committing
    await writer.close()

"""Policies run code of the project. It must not reach more rights than the roles of the API have."""

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.realtime.client import Client, connect
from tests.security.postgres.escape import ESCAPE

PRIVATE = {"private": True}
HELLO = {"type": "broadcast", "event": "hello", "payload": {}}


@dataclass(frozen=True, slots=True)
class Bait:
    """What exists for one test.

    Attributes:
        escapes: a table whose policy lets everybody see the rows once it has more rights than it should.
        open: a table that everybody may read.
        room: the name of a private room with such a policy.
    """

    escapes: str
    open: str
    room: str


@pytest.fixture
async def sql(stack: StackInfo) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def bait(sql: asyncpg.Connection) -> AsyncIterator[Bait]:
    suffix = uuid.uuid4().hex[:8]
    made = Bait(f"escapes_{suffix}", f"open_{suffix}", f"escape-{suffix}")
    await sql.execute(ESCAPE)
    for table, condition in ((made.escapes, "public.escape()"), (made.open, "true")):
        await sql.execute(
            f"create table public.{table} (id int primary key); "
            f"alter table public.{table} enable row level security; "
            f"grant select on public.{table} to anon; "
            f"create policy readable on public.{table} for select to anon using ({condition}); "
            f"alter publication supabase_realtime add table public.{table}"
        )
    await sql.execute(
        "create policy escape on realtime.messages to anon "
        f"using (realtime.topic() = '{made.room}' and public.escape()) "
        f"with check (realtime.topic() = '{made.room}' and public.escape()); "
        "create policy listen on realtime.messages for select to anon "
        f"using (realtime.topic() = '{made.room}-open')"
    )
    yield made
    await sql.execute(
        "drop policy escape on realtime.messages; drop policy listen on realtime.messages; "
        f"drop table public.{made.escapes}, public.{made.open}; drop function public.escape()"
    )


@pytest.fixture
async def visitor(stack: StackInfo) -> AsyncIterator[Client]:
    url = f"{stack.url}/realtime/v1".replace("http", "ws", 1)
    async with connect(url, stack.anon_key) as client:
        yield client


async def test_a_policy_reaches_no_other_rights_when_rows_are_written_and_deleted(
    visitor: Client, sql: asyncpg.Connection, bait: Bait
) -> None:
    tables = (bait.escapes, bait.open)
    await visitor.subscribe("room", *({"event": "*", "schema": "public", "table": table} for table in tables))
    for statement, event in (("insert into {} values (1)", "INSERT"), ("delete from {}", "DELETE")):
        for table in tables:
            await sql.execute(statement.format(table))
        change = await visitor.change()
        assert (change["table"], change["type"]) == (bait.open, event)
    assert [one for one in await visitor.settle() if "postgres_changes" in json.dumps(one)] == []


async def test_a_policy_of_rooms_reaches_no_other_rights(visitor: Client, bait: Bait) -> None:
    refused = await visitor.join(bait.room, PRIVATE)
    assert refused["payload"]["status"] == "error"
    assert "permissions" in refused["payload"]["response"]["reason"]
    # Writing is asked for by itself.
    listened = await visitor.join(f"{bait.room}-open", PRIVATE)
    assert listened["payload"]["status"] == "ok", listened

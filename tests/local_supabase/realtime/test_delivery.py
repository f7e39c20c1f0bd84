"""Failures of single bindings and of queries."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from tests.local_supabase.realtime.conftest import Postgres
from tests.local_supabase.realtime.running_fanout import (
    MakeTable,
    Recorder,
    Running,
    held_table,
    running_fanout,
    wait_for_check,
)


@pytest.fixture
async def running(postgres: Postgres) -> AsyncIterator[Running]:
    async with running_fanout(postgres) as fanout:
        yield fanout


async def test_a_filter_that_fails_on_a_row_ends_its_binding_alone(
    running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    # The domain refuses one value, and only to the fan-out.
    await sql.execute(
        "create domain public.delicate as text "
        "check (value <> 'bad' or current_setting('application_name') <> 'fanout'); "
        "create type public.delicate_pair as (a public.delicate)"
    )
    name = await table("id int primary key, pair public.delicate_pair")
    subscriber, other = Recorder(), Recorder()
    running.subscribe(subscriber, name, 1, filter="pair=gt.(a)")
    running.subscribe(subscriber, name, 2)
    running.subscribe(other, name)
    await sql.execute(f"insert into {name} values (1, '(bad)')")
    await sql.execute(f"insert into {name} values (2, '(good)')")
    await other.wait_for(2)
    await subscriber.wait_for(2)
    assert [ids for ids, _ in subscriber.sent] == [[2], [2]]
    ((ended, reason),) = subscriber.ended
    assert ended == 1
    assert reason.startswith("The filter could not be applied to a change: [event: *, schema: public")
    assert other.ended == []
    assert running.reported == ["started"]
    await sql.execute("drop type public.delicate_pair cascade; drop domain public.delicate cascade")


async def test_a_subscriber_that_cannot_be_sent_to_ends_alone(
    running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    class Broken(Recorder):
        def send_change(self, ids: Sequence[int], data: bytes) -> None:
            raise RuntimeError("it cannot be sent to")

    name = await table("id int primary key")
    broken, other = Broken(), Recorder()
    running.subscribe(broken, name)
    running.subscribe(other, name)
    await sql.execute(f"insert into {name} values (1), (2)")
    await other.wait_for(2)
    assert [binding for binding, _ in broken.ended] == [1]
    assert running.reported == ["started"]


async def test_a_cancelled_policy_query_loses_nothing(
    running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await held_table(sql, table, 45)
    subscriber = Recorder()
    running.subscribe(subscriber, name)
    await sql.execute(f"insert into {name} values (1)")
    await wait_for_check(sql)
    await sql.execute("select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'fanout'")
    await sql.execute("select pg_advisory_unlock(45)")
    await subscriber.wait_for(1)
    assert subscriber.records == [{"id": 1}]
    assert running.reported == ["started"]

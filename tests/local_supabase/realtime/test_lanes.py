"""Slow subscribers behind a real replication stream: they wait for themselves, and others go on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from local_supabase.realtime.lanes import Budgets
from tests.local_supabase.realtime.conftest import Postgres
from tests.local_supabase.realtime.running_fanout import (
    MakeTable,
    Recorder,
    Running,
    held_table,
    running_fanout,
    wait_for_check,
)
from tests.support.wait import wait_until

LOCK = 60


@asynccontextmanager
async def held(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable, budgets: Budgets
) -> AsyncIterator[tuple[Running, str, Recorder, Recorder]]:
    """Give a slow subscriber, whose policy waits while `sql` holds the lock, and a quick one."""
    name = await held_table(sql, table, LOCK)
    await sql.execute(f"create policy quick on {name} for select to authenticated using (true)")
    slow, quick = Recorder(), Recorder("authenticated")
    async with running_fanout(postgres, budgets=budgets) as running:
        running.subscribe(slow, name)
        running.subscribe(quick, name)
        yield running, name, slow, quick
        # A check that still waits holds a lock on the table, which is dropped now.
        await sql.execute("select pg_advisory_unlock_all()")


async def test_a_slow_policy_holds_up_nobody_else_and_its_subscriber_gets_all_in_order(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    async with held(postgres, sql, table, Budgets(slow_seconds=60)) as (running, name, slow, quick):
        for number in range(1, 4):
            await sql.execute(f"insert into {name} values ({number})")
            await quick.wait_for(number)
        assert slow.sent == []
        assert running.fanout.slow == 1
        await sql.execute(f"select pg_advisory_unlock({LOCK})")
        await slow.wait_for(3)
        assert slow.records == quick.records == [{"id": 1}, {"id": 2}, {"id": 3}]
        assert running.reported == ["started"]


async def test_a_policy_that_never_answers_ends_its_binding_alone(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    budgets = Budgets(slow_seconds=0.1, attempts=2)
    async with held(postgres, sql, table, budgets) as (running, name, slow, quick):
        await sql.execute(f"insert into {name} values (1)")
        await quick.wait_for(1)
        await wait_until(lambda: slow.ended, what="the end of the slow binding")
        ((_, reason),) = slow.ended
        assert reason.startswith("Policies or filters take too long: [event: *, schema: public")
        assert (slow.sent, quick.ended) == ([], [])
        assert running.reported == ["started"]


async def test_a_slow_subscriber_with_too_many_changes_ends(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    budgets = Budgets(slow_seconds=60, queued=2)
    async with held(postgres, sql, table, budgets) as (_, name, slow, quick):
        await sql.execute(f"insert into {name} values (1)")
        await wait_until(lambda: quick.sent, what="the first change")
        await wait_for_check(sql)
        await sql.execute(f"insert into {name} select generate_series(2, 6)")
        await quick.wait_for(6)
        await wait_until(lambda: slow.ended, what="the end of the slow binding")
        assert slow.ended[0][1].startswith("The subscriber is too slow for its changes: ")


async def test_many_slow_filters_of_one_subscriber_hold_up_a_change_like_one(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    await sql.execute(
        "create domain public.dear as text check (value <> 'slow' or "
        "current_setting('application_name') <> 'fanout' or pg_advisory_xact_lock_shared(71) is not null); "
        "create type public.dear_pair as (a public.dear)"
    )
    name = await table("id int primary key, pair public.dear_pair")
    await sql.execute("select pg_advisory_lock(71)")
    async with running_fanout(postgres) as running:
        slow, quick = Recorder(), Recorder("authenticated")
        for number in range(6):
            running.subscribe(slow, name, number, filter=f"pair=gt.({number})")
        running.subscribe(quick, name)
        await sql.execute(f"insert into {name} values (1, '(slow)')")
        await quick.wait_for(1)
        ended = len(slow.ended)
        await sql.execute("select pg_advisory_unlock(71)")
    await sql.execute("drop type public.dear_pair cascade; drop domain public.dear cascade")
    # Each filter that is waited for ends its binding.
    assert ended < 6


async def test_a_subscriber_that_is_quick_again_shares_the_way_of_all_others(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    async with held(postgres, sql, table, Budgets(slow_seconds=60, slow_for=0.1)) as (
        running,
        name,
        slow,
        quick,
    ):
        await sql.execute(f"insert into {name} values (1)")
        await quick.wait_for(1)
        await wait_for_check(sql)
        await sql.execute(f"select pg_advisory_unlock({LOCK})")
        await slow.wait_for(1)
        await wait_until(lambda: running.fanout.slow == 0, what="the end of the lane")
        await sql.execute(f"insert into {name} values (2)")
        await slow.wait_for(2)
        assert slow.records == [{"id": 1}, {"id": 2}]


async def test_a_large_transaction_reaches_whom_a_busy_machine_makes_slow(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(f"create policy everybody on {name} for select to anon using (true)")
    subscriber = Recorder()
    async with running_fanout(postgres, budgets=Budgets(shared_seconds=1e-6)) as running:
        running.subscribe(subscriber, name)
        await sql.execute(f"insert into {name} values (0)")
        await subscriber.wait_for(1)
        assert running.fanout.slow == 1
        await sql.execute(f"insert into {name} select generate_series(1, 7000)")
        await wait_until(lambda: len(subscriber.sent) == 7001 or subscriber.ended, within=90, what="all rows")
        assert subscriber.ended == []
        assert subscriber.records == [{"id": number} for number in range(7001)]

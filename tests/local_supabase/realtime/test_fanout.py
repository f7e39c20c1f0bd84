"""The fan-out behind a real replication stream."""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator

import asyncpg
import pytest

from local_supabase.realtime.catalog import MESSAGES_PUBLICATION, PUBLICATION
from local_supabase.realtime.fanout import Fanout, FanoutEvents
from local_supabase.realtime.subscriptions import Subscriptions
from tests.local_supabase.realtime.conftest import Postgres
from tests.local_supabase.realtime.running_fanout import (
    MakeTable,
    Recorder,
    Running,
    commits_held,
    fanout_held,
    identity,
    running_fanout,
)
from tests.support.wait import wait_until


@pytest.fixture
async def running(postgres: Postgres) -> AsyncIterator[Running]:
    async with running_fanout(postgres) as fanout:
        yield fanout


async def test_changes_arrive_in_the_order_of_their_commits_with_the_ids_that_match(
    running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    subscriber = Recorder()
    running.subscribe(subscriber, name, 1)
    running.subscribe(subscriber, name, 2, filter="id=gt.1")
    await sql.execute(f"insert into {name} values (1)")
    await sql.execute(f"insert into {name} values (2)")
    await subscriber.wait_for(2)
    assert [(ids, data["record"]) for ids, data in subscriber.sent] == [([1], {"id": 1}), ([1, 2], {"id": 2})]


async def test_a_change_is_authorized_and_encoded_once_for_subscribers_that_are_alike(
    running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(f"create policy everybody on {name} for select to anon using (true)")
    subscribers = [Recorder() for _ in range(20)]
    for subscriber in subscribers:
        running.subscribe(subscriber, name)
    await sql.execute(f"insert into {name} values (1)")
    for subscriber in subscribers:
        await subscriber.wait_for(1)
    assert (running.fanout.counters.queries, running.fanout.counters.checks) == (1, 1)
    assert running.fanout.events_written == 1


async def test_a_token_pushed_during_the_check_does_not_show_what_the_former_one_could_not_see(
    running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(
        f"create policy slow on {name} for select to anon using (pg_advisory_xact_lock_shared(43) is null)"
    )
    subscriber, witness = Recorder(), Recorder("service_role")
    running.subscribe(subscriber, name)
    running.subscribe(witness, name)
    await sql.execute("select pg_advisory_lock(43)")
    await sql.execute(f"insert into {name} values (1)")
    await wait_until(
        lambda: sql.fetchval("select true from pg_locks where locktype = 'advisory' and not granted"),
        what="the check to wait for the lock",
    )
    subscriber.identity = identity("service_role")
    await sql.execute("select pg_advisory_unlock(43)")
    await witness.wait_for(1)
    assert subscriber.sent == []

    await sql.execute(f"insert into {name} values (2)")
    await subscriber.wait_for(1)
    assert subscriber.records == [{"id": 2}]


async def test_a_lost_database_connection_is_reported_and_later_changes_arrive(
    postgres: Postgres, running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    subscriber = Recorder()
    running.subscribe(subscriber, name)
    async with fanout_held(postgres, sql, name):
        await lose_connections(running, sql)
    await sql.execute(f"insert into {name} values (2)")
    await subscriber.wait_for(1)
    assert subscriber.records == [{"id": 2}]


async def lose_connections(running: Running, sql: asyncpg.Connection) -> None:
    await sql.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'fanout'"
    )
    await wait_until(
        lambda: running.reported == ["started", "lost", "started"], what="the report of the loss"
    )


async def test_after_a_loss_tables_that_were_queued_for_the_first_time_are_delivered(
    postgres: Postgres, running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    held, queued = await table("id int primary key"), await table("id int primary key")
    subscriber = Recorder()
    running.subscribe(subscriber, held)
    running.subscribe(subscriber, queued)
    async with fanout_held(postgres, sql, held):
        received = running.fanout.queued
        await sql.execute(f"insert into {queued} values (1)")
        await wait_until(lambda: running.fanout.queued > received, what="the change to be queued")
        await lose_connections(running, sql)
    await sql.execute(f"insert into {queued} values (2)")
    await wait_until(lambda: {"id": 2} in subscriber.records, what="the later change")
    assert subscriber.records[-1] == {"id": 2}


async def test_after_a_loss_a_paused_stream_is_resumed(
    postgres: Postgres, running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    held, flooded = await table("id int primary key"), await table("id int primary key")
    subscriber = Recorder()
    running.subscribe(subscriber, held)
    running.subscribe(subscriber, flooded)
    async with fanout_held(postgres, sql, held):
        await sql.execute(f"insert into {flooded} select generate_series(1, 6000)")
        await wait_until(lambda: running.fanout.paused, what="the pause")
        await lose_connections(running, sql)
    await sql.execute(f"insert into {flooded} values (0)")
    await wait_until(lambda: {"id": 0} in subscriber.records, what="the later change")
    assert not running.fanout.paused


async def test_a_failure_while_the_stream_is_lost_does_not_report_that_it_has_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        raise OSError("no Postgres")

    reported: list[str] = []
    events = FanoutEvents(
        lambda _: None, started=lambda: reported.append("started"), lost=lambda: reported.append("lost")
    )
    fanout = Fanout(Subscriptions(), connect, logging.getLogger("tests.realtime"), events)
    running = asyncio.create_task(fanout.run())
    fanout.stream_started()
    fanout.stream_lost()
    column = b"\x01id\0" + struct.pack("!Ii", 23, -1)
    for message in (
        b"B" + struct.pack("!QqI", 1, 0, 700),
        b"R" + struct.pack("!I", 1) + b"public\0t\0d" + struct.pack("!H", 1) + column,
        b"I" + struct.pack("!I", 1) + b"N" + struct.pack("!H", 1) + b"t" + struct.pack("!I", 1) + b"1",
    ):
        fanout.received(message)
    await wait_until(lambda: "no Postgres" in caplog.text, what="the failure")
    assert reported == ["started", "lost", "lost"]
    running.cancel()


async def test_an_unreadable_message_does_not_affect_others(
    running: Running, sql: asyncpg.Connection, table: MakeTable, caplog: pytest.LogCaptureFixture
) -> None:
    name = await table("id int primary key")
    subscriber = Recorder()
    running.subscribe(subscriber, name)
    assert running.fanout.received(b"?")
    await sql.execute(f"insert into {name} values (1)")
    await subscriber.wait_for(1)
    assert running.reported == ["started"]
    assert "A change could not be read and is lost" in caplog.text


async def test_a_full_queue_pauses_the_stream_and_an_empty_one_resumes_it(postgres: Postgres) -> None:
    resumed = asyncio.Event()
    events = FanoutEvents(lambda _: None, started=lambda: None, lost=lambda: None)
    fanout = Fanout(Subscriptions(), lambda: asyncpg.connect(postgres.login_dsn), logging.getLogger(), events)
    fanout.resume = resumed.set
    origin = b"O" + bytes(8) + b"somewhere\0"
    accepted = 0
    while fanout.received(origin):
        accepted += 1
    assert accepted > 1000

    draining = asyncio.create_task(fanout.run())
    await resumed.wait()
    assert fanout.received(origin)
    draining.cancel()


async def test_a_filter_that_no_longer_fits_a_changed_table_matches_nothing(
    running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, status text")
    filtered, unfiltered = Recorder(), Recorder()
    running.subscribe(filtered, name, filter="status=eq.open")
    running.subscribe(unfiltered, name)
    await sql.execute(f"insert into {name} values (1, 'open')")
    await filtered.wait_for(1)
    await sql.execute(f"alter table {name} drop column status")
    await sql.execute(f"insert into {name} values (2)")
    await unfiltered.wait_for(2)
    assert filtered.records == [{"id": 1, "status": "open"}]


async def test_rows_of_stored_broadcasts_are_reported_and_not_delivered(
    postgres: Postgres, sql: asyncpg.Connection
) -> None:
    async with running_fanout(postgres, (PUBLICATION, MESSAGES_PUBLICATION)) as running:
        subscriber = Recorder("service_role")
        running.subscribe(subscriber, "messages", schema="realtime")
        await sql.execute("select realtime.send('{}', 'hello', 'room')")
        await wait_until(lambda: running.message_rows, what="the row")
        assert [row.value("topic") for row in running.message_rows] == ["room"]
        assert subscriber.sent == []
    await sql.execute("truncate realtime.messages")


async def test_a_lost_stream_voids_what_is_queued(
    running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    subscriber = Recorder()
    running.subscribe(subscriber, name)
    await sql.execute(
        "select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null"
    )
    await wait_until(lambda: running.reported == ["started", "lost", "started"], what="the stream to return")
    await sql.execute(f"insert into {name} values (1)")
    await subscriber.wait_for(1)
    assert subscriber.records == [{"id": 1}]


async def test_a_table_is_described_as_the_transaction_that_published_it_left_it(
    postgres: Postgres, running: Running, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", publish=False)
    subscriber = Recorder()
    running.subscribe(subscriber, name)
    await sql.execute("set synchronous_commit = local")
    publisher = await asyncpg.connect(postgres.dsn)
    async with commits_held(postgres, sql):
        committing = asyncio.create_task(
            publisher.execute(
                f"alter publication supabase_realtime add table {name}; insert into {name} values (1)"
            )
        )
        await wait_until(
            lambda: sql.fetchval("select true from pg_stat_activity where wait_event = 'SyncRep'"),
            what="the commit to be logged",
        )
        logged = await sql.fetchval("select pg_current_wal_flush_lsn()::text")
        await wait_until(
            lambda: sql.fetchval(
                "select bool_and(sent_lsn >= $1::text::pg_lsn) from pg_stat_replication", logged
            ),
            what="the stream to have sent the change",
        )
        await wait_until(
            lambda: sql.fetchval(
                "select true from pg_stat_activity "
                "where application_name = 'fanout' and query like '%visible%'"
            ),
            what="the fan-out to wait until the transaction is visible",
        )
    await committing
    await subscriber.wait_for(1)
    assert subscriber.records == [{"id": 1}]
    await publisher.close()

"""The replication stream against a real Postgres."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from local_supabase.realtime.catalog import PUBLICATION
from local_supabase.realtime.pgoutput import Begin, Commit, Delete, Insert, Message, Update, decode
from local_supabase.realtime.replication import ReplicationStream, StreamConfig
from tests.local_supabase.realtime.conftest import Postgres
from tests.support.wait import wait_until

MakeTable = Callable[..., Awaitable[str]]
Change = Insert | Update | Delete


class Recorder:
    """A sink that keeps what it receives. It asks for a pause while `paused` is set."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.starts = 0
        self.losses = 0
        self.paused = False

    def stream_started(self) -> None:
        self.starts += 1

    def stream_lost(self) -> None:
        self.losses += 1

    def received(self, message: bytes) -> bool:
        self.messages.append(decode(message))
        return not self.paused

    @property
    def changes(self) -> list[Change]:
        return [message for message in self.messages if isinstance(message, Change)]

    async def wait_started(self, times: int = 1) -> None:
        await wait_until(lambda: self.starts >= times, what="the stream")

    async def wait_changes(self, count: int) -> None:
        await wait_until(lambda: len(self.changes) >= count, what=f"{count} changes")


@asynccontextmanager
async def running(postgres: Postgres, sink: Recorder) -> AsyncIterator[ReplicationStream]:
    config = StreamConfig(postgres.dsn, (PUBLICATION,))
    stream = ReplicationStream(config, sink, logging.getLogger("tests.realtime"))
    task = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def slots(sql: asyncpg.Connection) -> list[str]:
    rows = await sql.fetch(
        "select slot_name from pg_replication_slots where slot_name like 'supabase_realtime_%'"
    )
    return [row["slot_name"] for row in rows]


async def wait_no_slots(sql: asyncpg.Connection) -> None:
    none = "select count(*) = 0 from pg_replication_slots where slot_name like 'supabase_realtime_%'"
    await wait_until(lambda: sql.fetchval(none), what="the end of the slots")


@pytest.fixture
def sink() -> Recorder:
    return Recorder()


async def test_committed_changes_arrive_in_order_and_rolled_back_ones_never(
    postgres: Postgres, sink: Recorder, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    async with running(postgres, sink):
        await sink.wait_started()
        await sql.execute(f"begin; insert into {name} values (1); rollback")
        await sql.execute(f"insert into {name} values (2)")
        await sql.execute(f"update {name} set id = 3")
        await sql.execute(f"delete from {name}")
        await sink.wait_changes(3)
    insert, update, delete = sink.changes
    assert isinstance(insert, Insert)
    assert isinstance(update, Update)
    assert isinstance(delete, Delete)
    assert (insert.new, update.new, delete.old) == (("2",), ("3",), ("3",))


async def test_a_change_comes_between_the_begin_and_the_commit_of_its_transaction(
    postgres: Postgres, sink: Recorder, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    async with running(postgres, sink):
        await sink.wait_started()
        sink.messages.clear()
        await sql.execute(f"insert into {name} values (1), (2)")
        await wait_until(
            lambda: sink.changes and isinstance(sink.messages[-1], Commit), what="the end of the transaction"
        )
    begin = next(message for message in reversed(sink.messages) if isinstance(message, Begin))
    commit = sink.messages[-1]
    assert isinstance(commit, Commit)
    assert begin.lsn == commit.lsn
    assert len(sink.changes) == 2


async def test_a_broken_stream_reports_the_loss_and_connects_again(
    postgres: Postgres, sink: Recorder, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    async with running(postgres, sink):
        await sink.wait_started()
        await sql.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null"
        )
        await sink.wait_started(2)
        assert sink.losses == 1
        await sql.execute(f"insert into {name} values (1)")
        await sink.wait_changes(1)


async def test_an_unreachable_server_is_no_loss_of_a_stream_that_never_started(
    postgres: Postgres, sink: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = replace(postgres, dsn="postgresql://nobody@127.0.0.1:1/postgres")
    async with running(nowhere, sink):
        await wait_until(lambda: len(caplog.records) >= 2, what="two attempts")
    assert (sink.starts, sink.losses) == (0, 0)
    assert "The replication stream broke" in caplog.text


async def test_a_paused_stream_delivers_nothing_until_it_is_resumed(
    postgres: Postgres, sink: Recorder, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    async with running(postgres, sink) as stream:
        await sink.wait_started()
        sink.paused = True
        sink.messages.clear()
        await sql.execute(f"insert into {name} select generate_series(1, 50)")
        await wait_until(lambda: sink.messages, what="the message that pauses the stream")
        sent = await sql.fetchval("select pg_current_wal_lsn()::text")
        await wait_until(
            lambda: sql.fetchval(
                "select bool_and(sent_lsn >= $1::text::pg_lsn) from pg_stat_replication", sent
            ),
            what="the server to have sent everything",
        )
        assert len(sink.messages) == 1
        sink.paused = False
        stream.resume()
        await sink.wait_changes(50)


async def test_a_paused_stream_is_not_asked_again_and_again_whether_it_can_be_read(
    postgres: Postgres,
    sink: Recorder,
    sql: asyncpg.Connection,
    table: MakeTable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads = 0
    read = ReplicationStream._read

    def counted(stream: ReplicationStream) -> None:
        nonlocal reads
        reads += 1
        read(stream)

    monkeypatch.setattr(ReplicationStream, "_read", counted)
    name = await table("id int primary key")
    async with running(postgres, sink):
        await sink.wait_started()
        sink.paused = True
        sink.messages.clear()
        await sql.execute(f"insert into {name} select generate_series(1, 5000)")
        await wait_until(lambda: sink.messages, what="the message that pauses the stream")
        before = reads
        for _ in range(20):
            await sql.execute("select 1")
        assert reads == before


async def test_the_slot_ends_with_the_stream(
    postgres: Postgres, sink: Recorder, sql: asyncpg.Connection
) -> None:
    # A stream of another test may still be ending.
    await wait_no_slots(sql)
    async with running(postgres, sink):
        await sink.wait_started()
        assert len(await slots(sql)) == 1

    await wait_no_slots(sql)


async def test_a_transaction_that_was_open_when_the_slot_was_created_is_waited_for(
    postgres: Postgres, sink: Recorder, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    await sql.execute(f"begin; insert into {name} values (1)")
    other = await asyncpg.connect(postgres.dsn)
    async with running(postgres, sink):
        await wait_until(
            lambda: other.fetchval(
                "select true from pg_stat_activity "
                "where application_name = 'realtime_replication' and wait_event = 'transactionid'"
            ),
            what="the creation of the slot to wait",
        )
        assert sink.starts == 0
        await sql.execute("commit")
        await sink.wait_started()
        await sql.execute(f"insert into {name} values (2)")
        await wait_until(
            lambda: any(isinstance(change, Insert) and change.new == ("2",) for change in sink.changes),
            what="the later change",
        )
    await other.close()


@pytest.mark.parametrize("earlier_statements", range(0, 50, 5))
async def test_a_table_published_while_the_slot_is_created_is_streamed(
    postgres: Postgres, sink: Recorder, table: MakeTable, earlier_statements: int
) -> None:
    # When the table must be published for a stream to miss it depends on the machine, so try many moments.
    async with running(postgres, sink):
        other = await asyncpg.connect(postgres.dsn)
        for _ in range(earlier_statements):
            await other.execute("select 1")
        name = await table("id int primary key, n int")
        await other.execute(f"insert into {name} values (1, 1)")
        await sink.wait_started()
        await other.execute(f"update {name} set n = 2")
        await wait_until(
            lambda: any(isinstance(change, Update) for change in sink.changes), what="the update"
        )
        await other.close()
    assert sink.losses == 0

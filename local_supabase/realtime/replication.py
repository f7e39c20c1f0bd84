"""The owner of the replication slot: streams committed changes from the write-ahead log as they arrive.

The slot is temporary, because a permanent one would hold back the log after the gateway is gone. So changes
that are committed while the stream is down are lost to it, and the sink is notified of that.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg
import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from psycopg2.extras import LogicalReplicationConnection, ReplicationCursor

from local_supabase.backoff import Backoff

FEEDBACK_SECONDS = 5
_FIRST_DELAY_SECONDS = 0.05
_LONGEST_DELAY_SECONDS = 5.0
_CONNECT_SECONDS = 10.0
# So many messages are read before other tasks of the event loop run.
_MESSAGES_AT_ONCE = 256
_LOGICAL_MESSAGE = b"M"
# Any insert into pg_publication_rel and pg_publication_namespace makes the stream drop its cached lists of
# which publications a table and a schema are in. Nobody sees this publication: it ends with the statement's
# transaction.
_INVALIDATE_PUBLISHED_TABLES = """
create publication _realtime_invalidation for table realtime.messages, tables in schema _realtime;
drop publication _realtime_invalidation
"""
# Nothing that a project made is called instead of what is meant.
_SAFE = {"search_path": "pg_catalog"}
_CONNECTION_ERRORS = (psycopg2.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class Sink(Protocol):
    """The receiver of a stream. It is called on the event loop and must not block."""

    def stream_started(self) -> None:
        """Take note that everything committed from now on will be received."""

    def stream_lost(self) -> None:
        """Take note that changes are missed until the next `stream_started`."""

    def received(self, message: bytes) -> bool:
        """Take one pgoutput message; return False to pause the stream until `resume` is called."""


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What to stream.

    Attributes:
        dsn: the DSN of a superuser, who may also alter the publications. No code of the project runs there.
        publications: the names of the publications.
    """

    dsn: str
    publications: Sequence[str]


class ReplicationStream:
    """Keeps one logical replication stream open, reconnecting with backoff while it runs.

    Arguments:
        config: what to stream.
        sink: receives the stream.
        log: where breaks of the stream are logged.
    """

    def __init__(self, config: StreamConfig, sink: Sink, log: logging.Logger) -> None:
        self._config = config
        self._sink = sink
        self._log = log
        self._cursor: ReplicationCursor | None = None
        self._descriptor = -1
        self._paused = False
        self._failed: asyncio.Future[None] | None = None
        self._marker = b""
        self._marker_received: asyncio.Future[None] | None = None
        self._started = False

    async def run(self) -> None:
        """Stream until cancelled."""
        backoff = Backoff(_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS, jitter=0.5)
        while True:
            try:
                async with asyncio.timeout(None) as deadline:
                    await self._stream(deadline)
            except _CONNECTION_ERRORS as error:
                self._log.warning(
                    "The replication stream broke: %s", str(error).strip() or type(error).__name__
                )
            except Exception:
                # Without this, an unexpected error would end the stream for good.
                self._log.exception("The replication stream broke")
            if self._started:
                backoff.reset()
                self._sink.stream_lost()
            await asyncio.sleep(backoff.next_delay())

    def resume(self) -> None:
        """Continue to read after the sink's `received` returned False."""
        if self._paused and self._cursor is not None:
            self._paused = False
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
            self._read()

    def _pause(self) -> None:
        # The socket stays readable, so the event loop would call a reader without end.
        self._paused = True
        asyncio.get_running_loop().remove_reader(self._descriptor)

    async def _stream(self, deadline: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        self._started = False
        self._paused = False
        deadline.reschedule(loop.time() + _CONNECT_SECONDS)
        connection = psycopg2.connect(
            self._config.dsn,
            connection_factory=LogicalReplicationConnection,
            async_=1,
            application_name="realtime_replication",
            # Fixed, because the database's own settings would change the text of the values.
            options="-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex "
            "-c extra_float_digits=1",
        )
        try:
            await _ready(connection)
            # Creating the slot waits for all running transactions, so it has no deadline.
            deadline.reschedule(None)
            await self._start_replication(connection)
            await self._follow(connection, loop)
        finally:
            with contextlib.suppress(psycopg2.Error):
                connection.close()

    async def _start_replication(self, connection: LogicalReplicationConnection) -> None:
        slot = f"supabase_realtime_{secrets.token_hex(6)}"
        cursor = connection.cursor()
        cursor.execute(f"CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')")
        await _ready(connection)
        names = ",".join(f'"{name}"' for name in self._config.publications)
        cursor.start_replication(
            slot_name=slot,
            decode=False,
            status_interval=FEEDBACK_SECONDS,
            options={"proto_version": "1", "publication_names": names, "messages": "true"},
        )
        await _ready(connection)
        self._cursor = cursor

    async def _follow(
        self, connection: LogicalReplicationConnection, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._failed = loop.create_future()
        self._marker = secrets.token_bytes(16)
        self._marker_received = loop.create_future()
        self._descriptor = connection.fileno()
        loop.add_reader(self._descriptor, self._read)
        try:
            self._read()
            await self._refresh_catalog(self._marker, self._marker_received)
            self._started = True
            self._sink.stream_started()
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FEEDBACK_SECONDS):
                        await asyncio.shield(self._failed)
                self._confirm()
        finally:
            loop.remove_reader(self._descriptor)
            self._cursor = None
            # Retrieve its exception, which asyncio would otherwise report as never retrieved.
            if not self._failed.cancel():
                self._failed.exception()

    async def _refresh_catalog(self, marker: bytes, received: asyncio.Future[None]) -> None:
        """Make the stream see the current publications, and wait until a message proves that it does.

        While a slot is created, it can take a committed change of a publication for one that is not
        committed. The stream then caches, for the tables it decodes, that they are not published, and nothing
        of that change comes later to invalidate the cache. So log what makes it look again: a snapshot
        record, which tells it what is committed, and changes of the catalogs that it caches. Then wait for a
        marker logged after them.
        """
        async with asyncio.timeout(_CONNECT_SECONDS):
            connection = await asyncpg.connect(self._config.dsn, server_settings=_SAFE)
            try:
                await connection.execute("select pg_log_standby_snapshot()")
                await connection.execute(_INVALIDATE_PUBLISHED_TABLES)
                await connection.execute("select _realtime.touch_publications($1)", self._config.publications)
                await connection.execute(
                    "select pg_logical_emit_message(true, 'realtime', $1::bytea)", marker
                )
                await received
            finally:
                connection.terminate()

    def _read(self) -> None:
        """Pass what has arrived to the sink, without waiting for more."""
        cursor = self._cursor
        if cursor is None or self._paused:
            return
        try:
            for _ in range(_MESSAGES_AT_ONCE):
                message = cursor.read_message()
                if message is None:
                    return
                if message.payload.startswith(_LOGICAL_MESSAGE):
                    self._check_marker(message.payload)
                elif not self._sink.received(message.payload):
                    self._pause()
                    return
        except psycopg2.Error as error:
            self._fail(error)
            return
        # The client library may have buffered more, which the file descriptor does not show.
        asyncio.get_running_loop().call_soon(self._read)

    def _check_marker(self, payload: bytes) -> None:
        received = self._marker_received
        if payload.endswith(self._marker) and received is not None and not received.done():
            received.set_result(None)

    def _fail(self, error: psycopg2.Error) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _confirm(self) -> None:
        """Let Postgres recycle the received log; with a temporary slot it is never read again."""
        cursor = self._cursor
        if cursor is None:
            return
        lsn = cursor.wal_end
        cursor.send_feedback(write_lsn=lsn, flush_lsn=lsn, force=True)  # type: ignore[no-untyped-call]


async def _ready(connection: LogicalReplicationConnection) -> None:
    """Wait until the connection has finished its current command."""
    loop = asyncio.get_running_loop()
    while True:
        state = connection.poll()
        if state == POLL_OK:
            return
        ready: asyncio.Future[None] = loop.create_future()
        descriptor = connection.fileno()
        if state == POLL_READ:
            loop.add_reader(descriptor, _set, ready)
        elif state == POLL_WRITE:
            loop.add_writer(descriptor, _set, ready)
        else:
            raise psycopg2.OperationalError(f"unexpected state of the connection: {state}")
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)
            loop.remove_writer(descriptor)


def _set(future: asyncio.Future[None], _callback: Callable[[], None] | None = None) -> None:
    if not future.done():
        future.set_result(None)

"""The owner of the replication slot: streams committed changes from the write-ahead log as they arrive.

The slot is temporary: it ends with its connection, so that it never holds back the log of a gateway that is
gone. Changes made while the stream is down are therefore not replayed; whoever listens is told of the loss.
"""

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg
import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from psycopg2.extras import LogicalReplicationConnection, ReplicationCursor

FEEDBACK_SECONDS = 5
_FIRST_BACKOFF = 0.05
_LONGEST_BACKOFF = 5.0
_CONNECT_SECONDS = 10.0
# Read at most this many messages before other work of the event loop gets its turn.
_MESSAGES_A_TURN = 256
_LOGICAL_MESSAGE = b"M"
_BREAKS = (psycopg2.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class Sink(Protocol):
    """Who receives the stream. Called on the event loop; must not block."""

    def stream_started(self) -> None:
        """Note that everything committed from now on will be received."""

    def stream_lost(self) -> None:
        """Note that changes are missed from this call to the next `stream_started`."""

    def received(self, message: bytes) -> bool:
        """Take one pgoutput message; False asks to pause until `resume` is called."""


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """Where to stream from: a superuser's or replication role's DSN, and the publications by name."""

    dsn: str
    publications: Sequence[str]


class ReplicationStream:
    """Keeps one logical replication stream open, reconnecting with backoff for as long as it runs."""

    def __init__(self, config: StreamConfig, sink: Sink, log: logging.Logger) -> None:
        self._config = config
        self._sink = sink
        self._log = log
        self._cursor: ReplicationCursor | None = None
        self._paused = False
        self._failed: asyncio.Future[None] | None = None
        self._settled: asyncio.Future[None] | None = None
        self._marker = b""
        self._started = False

    async def run(self) -> None:
        """Stream until cancelled."""
        backoff = _FIRST_BACKOFF
        while True:
            try:
                async with asyncio.timeout(None) as patience:
                    await self._stream(patience)
            except _BREAKS as error:
                self._log.warning("The replication stream broke: %s", str(error).strip())
            except Exception:
                # A fault of ours must not end the stream for ever.
                self._log.exception("The replication stream broke")
            if self._started:
                backoff = _FIRST_BACKOFF
                self._sink.stream_lost()
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, not a secret
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    def resume(self) -> None:
        """Go on reading after `received` returned False."""
        self._paused = False
        self._read()

    async def _stream(self, patience: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        self._started = False
        self._paused = False
        patience.reschedule(loop.time() + _CONNECT_SECONDS)
        connection = psycopg2.connect(
            self._config.dsn,
            connection_factory=LogicalReplicationConnection,
            async_=1,
            application_name="realtime_replication",
            # Values are sent as text in these forms, whatever the database's defaults are.
            options="-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex "
            "-c extra_float_digits=1",
        )
        try:
            await _ready(connection)
            # Waits for the transactions under way, however long they take.
            patience.reschedule(None)
            await self._start(connection)
            await self._follow(connection, loop)
        finally:
            with contextlib.suppress(psycopg2.Error):
                connection.close()

    async def _start(self, connection: LogicalReplicationConnection) -> None:
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
        self._settled = loop.create_future()
        self._marker = secrets.token_bytes(16)
        descriptor = connection.fileno()
        loop.add_reader(descriptor, self._read)
        try:
            self._read()
            await self._settle(self._marker, self._settled)
            self._started = True
            self._sink.stream_started()
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FEEDBACK_SECONDS):
                        await asyncio.shield(self._failed)
                self._confirm()
        finally:
            loop.remove_reader(descriptor)
            self._cursor = None
            # Its error, if it has one, has been raised or has been overtaken by another.
            if not self._failed.cancel():
                self._failed.exception()

    async def _settle(self, marker: bytes, settled: asyncio.Future[None]) -> None:
        """Make sure that the stream sees the catalog as it is, and that messages really arrive.

        A new slot can take a change of the publications that was committed while it was being made for one
        that is still under way, and would then pass over the tables in question until something else
        invalidates its cache. A snapshot record lets it see the change, altering a publication makes it look,
        and a message that comes through proves both.
        """
        async with asyncio.timeout(_CONNECT_SECONDS):
            connection = await asyncpg.connect(self._config.dsn)
            try:
                await connection.execute("select pg_log_standby_snapshot()")
                await connection.execute("select _realtime.touch_publications($1)", self._config.publications)
                await connection.execute(
                    "select pg_logical_emit_message(true, 'realtime', $1::bytea)", marker
                )
                await settled
            finally:
                connection.terminate()

    def _read(self) -> None:
        """Hand over what has arrived, without waiting for more."""
        cursor = self._cursor
        if cursor is None or self._paused:
            return
        try:
            for _ in range(_MESSAGES_A_TURN):
                message = cursor.read_message()
                if message is None:
                    return
                if message.payload.startswith(_LOGICAL_MESSAGE):
                    self._note_marker(message.payload)
                elif not self._sink.received(message.payload):
                    self._paused = True
                    return
        except psycopg2.Error as error:
            self._fail(error)
            return
        # More may be buffered in the client library, which the file descriptor does not show.
        asyncio.get_running_loop().call_soon(self._read)

    def _note_marker(self, payload: bytes) -> None:
        if payload.endswith(self._marker) and self._settled is not None and not self._settled.done():
            self._settled.set_result(None)

    def _fail(self, error: psycopg2.Error) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _confirm(self) -> None:
        """Let Postgres recycle the log. What was received is never asked for again: the slot dies with us."""
        cursor = self._cursor
        if cursor is None:
            return
        lsn = cursor.wal_end
        cursor.send_feedback(write_lsn=lsn, flush_lsn=lsn, force=True)  # type: ignore[no-untyped-call]


async def _ready(connection: LogicalReplicationConnection) -> None:
    """Wait until the command under way is finished."""
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

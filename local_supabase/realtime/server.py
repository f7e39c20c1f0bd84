"""The Realtime server: creates its parts, accepts connections, and stops everything at the end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from local_supabase.identity import Identity, TokenVerifier
from local_supabase.realtime.catalog import MESSAGES_PUBLICATION, PUBLICATION, Pool
from local_supabase.realtime.catalog import Connection as DatabaseConnection
from local_supabase.realtime.changes import RowChange
from local_supabase.realtime.framing import Version
from local_supabase.realtime.limits import Limits
from local_supabase.realtime.postgres_changes import PostgresChanges
from local_supabase.realtime.private import Policies
from local_supabase.realtime.replay import MessageStore, broadcast_of_row
from local_supabase.realtime.replication import StreamConfig
from local_supabase.realtime.rooms import Rooms
from local_supabase.realtime.services import Services
from local_supabase.realtime.socket import SERVICE_RESTART, Connection
from local_supabase.realtime.subscriptions import Subscriber
from local_supabase.realtime.tasks import Tasks
from local_supabase.realtime.tokens import RealtimeTokens, TokenRefusedError

_CONNECT_SECONDS = 10
_POOL_SIZE = 4
_DELETE_EVERY_SECONDS = 3600.0
# The same as the replication stream's, so that a value has the same text in a change and in a query.
_SESSION = {
    "application_name": "realtime",
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "search_path": "pg_catalog",
    "jit": "off",
}


class ConnectRefusedError(Exception):
    """A handshake that is refused: answered with an HTTP status and `{"error": message}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class RealtimeServer:
    """The Realtime service of one gateway.

    Arguments:
        stream_dsn: a superuser's DSN, for the replication stream.
        dsn: the DSN of Realtime's login, for all else: policies run code of the project.
        pool: connections of that login, for private channels.
        verifier: verifies the project's tokens.
        limits: the limits of the project.
        log: where faults are logged.
    """

    def __init__(
        self,
        stream_dsn: str,
        dsn: str,
        pool: Pool,
        verifier: TokenVerifier,
        limits: Limits,
        log: logging.Logger,
    ) -> None:
        self._dsn = dsn
        self._connections: set[Connection] = set()
        self._rooms = Rooms()
        self._limits = limits
        self._log = log
        changes = PostgresChanges(
            StreamConfig(stream_dsn, (PUBLICATION, MESSAGES_PUBLICATION)),
            self._connect,
            log,
            on_message_row=self._broadcast_row,
            on_loss=self._disconnect_subscribers,
        )
        self.services = Services(
            limits=limits,
            tokens=RealtimeTokens(verifier),
            rooms=self._rooms,
            policies=Policies(pool),
            changes=changes,
            store=MessageStore(pool),
            tasks=Tasks(log),
            log=log,
        )

    @classmethod
    @asynccontextmanager
    async def running(
        cls, stream_dsn: str, dsn: str, verifier: TokenVerifier, limits: Limits, log: logging.Logger
    ) -> "AsyncIterator[RealtimeServer]":
        """Run Realtime for the block. The database may still be down; subscriptions wait for it.

        Arguments:
            stream_dsn: a superuser's DSN.
            dsn: the DSN of Realtime's login.
            verifier: verifies the project's tokens.
            limits: the limits of the project.
            log: where faults are logged.
        """
        pool = asyncpg.create_pool(
            dsn, min_size=0, max_size=_POOL_SIZE, timeout=_CONNECT_SECONDS, server_settings=_SESSION
        )
        await pool
        server = cls(stream_dsn, dsn, pool, verifier, limits, log)
        tasks = server.services.tasks
        tasks.start(server.services.changes.run())
        tasks.start(server._delete_old_messages())
        try:
            yield server
        finally:
            server.disconnect_all()
            await tasks.cancel()
            pool.terminate()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def disconnect_all(self) -> None:
        """Close every connection with 1012, which makes clients reconnect."""
        for connection in list(self._connections):
            connection.disconnect(SERVICE_RESTART)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one websocket from the handshake to its close."""
        token = websocket.headers.get("x-api-key") or websocket.query_params.get("apikey")
        try:
            self._admit(token)
            version = _version(websocket.query_params.get("vsn"))
        except ConnectRefusedError as refusal:
            # Delayed on purpose: it slows down clients that reconnect at once.
            await asyncio.sleep(self._limits.connect_refusal_seconds)
            body = {"error": refusal.message}
            await websocket.send_denial_response(JSONResponse(body, status_code=refusal.status))
            return
        await websocket.accept()
        connection = Connection(self.services, websocket, version, token or "", dict(websocket.headers))
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)

    def _admit(self, token: str | None) -> Identity:
        if not token:
            raise ConnectRefusedError(401, "API key is missing")
        if len(self._connections) >= self._limits.max_sockets:
            raise ConnectRefusedError(429, "Too many connected users")
        if self.services.joins.average() > self._limits.max_joins_per_second:
            raise ConnectRefusedError(429, "Too many joins per second")
        try:
            return self.services.tokens.verify(token)
        except TokenRefusedError as refusal:
            message = (
                "Token has expired" if refusal.message.startswith("Token has expired") else refusal.message
            )
            raise ConnectRefusedError(401, message) from refusal

    async def _connect(self) -> DatabaseConnection:
        connection = await asyncpg.connect(self._dsn, timeout=_CONNECT_SECONDS, server_settings=_SESSION)
        # A policy that fails is only a warning in Postgres. Log it, so that the policy's author sees it.
        connection.add_log_listener(lambda _, message: self._log.warning("Postgres: %s", message))
        return connection

    def _broadcast_row(self, change: RowChange) -> None:
        stored = broadcast_of_row(change)
        if stored is None:
            return
        room = self._rooms.find(stored.topic, private=stored.private)
        if room is not None:
            room.broadcast(stored.as_broadcast(), xid=stored.xid)

    def _disconnect_subscribers(self, subscribers: list[Subscriber]) -> None:
        # Changes may have been missed, and the protocol has no message that says so. After this close every
        # client reconnects, subscribes and reads again.
        for subscriber in subscribers:
            subscriber.disconnect(SERVICE_RESTART)

    async def _delete_old_messages(self) -> None:
        while True:
            await self.services.changes.wait_live()
            try:
                await self.services.store.delete_older_than(self._limits.message_retention_hours)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._log.warning("Old broadcasts could not be deleted: %s", error)
            await asyncio.sleep(_DELETE_EVERY_SECONDS)


def _version(text: str | None) -> Version:
    try:
        return Version(text or Version.V1)
    except ValueError as error:
        raise ConnectRefusedError(403, "unsupported version of the protocol") from error

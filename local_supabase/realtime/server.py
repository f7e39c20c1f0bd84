"""Realtime as a whole: its parts put together, its connections, its life."""

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
from local_supabase.realtime.channel import Channel
from local_supabase.realtime.framing import Version
from local_supabase.realtime.limits import Limits
from local_supabase.realtime.postgres_changes import PostgresChanges
from local_supabase.realtime.private import Policies
from local_supabase.realtime.replay import MessageStore, broadcast_of_row
from local_supabase.realtime.replication import StreamConfig
from local_supabase.realtime.rooms import Rooms
from local_supabase.realtime.services import Services, Tasks
from local_supabase.realtime.socket import SERVICE_RESTART, Connection
from local_supabase.realtime.subscriptions import Subscriber
from local_supabase.realtime.tokens import RealtimeTokens, TokenRefused

_CONNECT_SECONDS = 10
_POOL_SIZE = 4
_FORGET_EVERY_SECONDS = 3600.0
# As the replication stream has it, so that a value has one form wherever it is read.
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


class ConnectRefused(Exception):
    """A handshake that is answered with an HTTP status and `{"error": message}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class RealtimeServer:
    """Everything of Realtime in one gateway."""

    def __init__(
        self, dsn: str, pool: Pool, verifier: TokenVerifier, limits: Limits, log: logging.Logger
    ) -> None:
        self._dsn = dsn
        self._connections: set[Connection] = set()
        self._rooms = Rooms()
        self._limits = limits
        self._log = log
        changes = PostgresChanges(
            StreamConfig(dsn, (PUBLICATION, MESSAGES_PUBLICATION)),
            self._connect,
            log,
            on_message_row=self._broadcast_row,
            on_loss=self._restart_clients,
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
        cls, dsn: str, verifier: TokenVerifier, limits: Limits, log: logging.Logger
    ) -> "AsyncIterator[RealtimeServer]":
        """Run Realtime for the block. `dsn` is a superuser's; the database need not answer yet."""
        pool = asyncpg.create_pool(
            dsn, min_size=0, max_size=_POOL_SIZE, timeout=_CONNECT_SECONDS, server_settings=_SESSION
        )
        await pool
        server = cls(dsn, pool, verifier, limits, log)
        tasks = server.services.tasks
        tasks.start(server.services.changes.run())
        tasks.start(server._forget_messages())
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
        """End every connection; clients connect again."""
        for connection in list(self._connections):
            connection.disconnect(SERVICE_RESTART)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one websocket from its handshake to its end."""
        token = websocket.headers.get("x-api-key") or websocket.query_params.get("apikey")
        try:
            self._admit(token)
            version = _version(websocket.query_params.get("vsn"))
        except ConnectRefused as refusal:
            # Late on purpose: clients that try again at once would only be refused again.
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
            raise ConnectRefused(401, "API key is missing")
        if len(self._connections) >= self._limits.max_sockets:
            raise ConnectRefused(429, "Too many connected users")
        if self.services.joins.average() > self._limits.max_joins_per_second:
            raise ConnectRefused(429, "Too many joins per second")
        try:
            return self.services.tokens.verify(token)
        except TokenRefused as refusal:
            message = (
                "Token has expired" if refusal.message.startswith("Token has expired") else refusal.message
            )
            raise ConnectRefused(401, message) from refusal

    async def _connect(self) -> DatabaseConnection:
        connection = await asyncpg.connect(self._dsn, timeout=_CONNECT_SECONDS, server_settings=_SESSION)
        # A policy that fails is a warning there; its author wants to read it.
        connection.add_log_listener(lambda _, message: self._log.warning("Postgres: %s", message))
        return connection

    def _broadcast_row(self, change: RowChange) -> None:
        stored = broadcast_of_row(change)
        if stored is None:
            return
        room = self._rooms.find(stored.topic, private=stored.private)
        if room is not None:
            room.broadcast(stored.as_broadcast(), message_id=stored.id)

    def _restart_clients(self, subscribers: list[Subscriber]) -> None:
        # Changes may have been missed, and no message of the protocol says so. Clients of every kind connect
        # again after this close and read anew once they are subscribed.
        for subscriber in subscribers:
            if isinstance(subscriber, Channel):
                subscriber.socket.disconnect(SERVICE_RESTART)

    async def _forget_messages(self) -> None:
        while True:
            await self.services.changes.wait_live()
            try:
                await self.services.store.forget(self._limits.message_retention_hours)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._log.warning("Old broadcasts could not be deleted: %s", error)
            await asyncio.sleep(_FORGET_EVERY_SECONDS)


def _version(text: str | None) -> Version:
    try:
        return Version(text or Version.V1)
    except ValueError as error:
        raise ConnectRefused(403, "unsupported version of the protocol") from error

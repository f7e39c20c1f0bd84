"""uvicorn's HTTP protocol with limits for slow clients, and with websockets in another process.

Without limits a client can hold a connection, and what belongs to it, by sending a head or a body byte by
byte, or by never reading its answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from http import HTTPStatus
from typing import Any, Self, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from local_supabase.handover import MAX_HEAD_BYTES, Giver
from local_supabase.lingering import Lingerers, LingeringTransport

_VARIABLE = "LOCAL_SUPABASE_HTTP"
_log = logging.getLogger("local_supabase.http")
_SWEEP_SECONDS = 0.5
_CONNECTIONS = 2000
_LINGERING = 500
# For Postgres, files and functions.
_OTHER_DESCRIPTORS = 256


def _refusal(status: HTTPStatus, message: str) -> bytes:
    body = json.dumps({"message": message}).encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


_TIMEOUT = _refusal(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive")
_FULL = _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too many open connections")
_TOO_LARGE = _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request headers are too large")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What the gateway grants one connection over HTTP, and all of them.

    Arguments:
        head_seconds: for how long a request's line and headers may arrive.
        body_seconds: for how long a body may fall behind `body_bytes_per_second`.
        body_bytes_per_second: the pace of a body. Time in which the service does not read does not count.
        answer_seconds: for how long a client may read nothing of its answer.
        idle_seconds: for how long a connection stays open between two requests.
        connections: how many may be open. All loopback addresses are one machine, so they count together.
        lingering: how many more may be open that have their last answer, until their client closes them.
        linger_seconds: for how long such a connection stays open.
    """

    head_seconds: float = 20
    body_seconds: float = 20
    body_bytes_per_second: float = 500
    answer_seconds: float = 60
    idle_seconds: float = 65
    connections: int = _CONNECTIONS
    lingering: int = _LINGERING
    linger_seconds: float = 10

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the defaults, with those that `LOCAL_SUPABASE_HTTP_<NAME>` sets.

        Raises:
            ValueError: one of them is no number.
        """
        names = [limit.name for limit in fields(cls)]
        given = {name: environ.get(f"{_VARIABLE}_{name.upper()}") for name in names}
        values = {name: float(value) for name, value in given.items() if value}
        usable = _usable_descriptors()
        lingering = min(int(values.pop("lingering", _LINGERING)), usable // 4)
        connections = min(int(values.pop("connections", _CONNECTIONS)), max(1, usable - lingering))
        return cls(connections=connections, lingering=lingering, **values)


def _usable_descriptors() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**31 if soft == resource.RLIM_INFINITY else max(1, soft - _OTHER_DESCRIPTORS)


@dataclass(slots=True, eq=False)
class Connections:
    """The open connections over HTTP of one process.

    Arguments:
        limits: what is granted.
        websockets: hands websockets of Realtime over; None serves all websockets in this process.
        websocket_path: the path below which websockets are handed over.
        websocket_port: the port at which they are.
    """

    limits: ConnectionLimits
    websockets: Giver | None = None
    websocket_path: str = ""
    websocket_port: int = 0
    open: set[LimitedProtocol] = field(default_factory=set)
    # Without a request, in the order in which they began to wait.
    idle: dict[LimitedProtocol, None] = field(default_factory=dict)
    lingerers: Lingerers = field(init=False)

    def __post_init__(self) -> None:
        self.lingerers = Lingerers(self.limits.lingering, self.limits.linger_seconds)

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        first: bytes = b"",
    ) -> LimitedProtocol:
        """Return the protocol of a new connection; uvicorn calls this in place of a protocol's class."""
        return LimitedProtocol(self, config, server_state, app_state, _loop, first)

    def as_class(self) -> type[asyncio.Protocol]:
        """Return `protocol` with the type that uvicorn declares, of which it only uses the call."""
        return cast("type[asyncio.Protocol]", self.protocol)

    def has_room(self) -> bool:
        """Return whether one more connection may be open, after closing an idle one for it if need be."""
        if len(self.open) < self.limits.connections:
            return True
        longest = next(iter(self.idle), None)
        if longest is None:
            return False
        self.forget(longest)
        longest.make_room()
        return True

    def forget(self, connection: LimitedProtocol) -> None:
        """Count a connection no more."""
        self.open.discard(connection)
        self.idle.pop(connection, None)

    async def enforce(self) -> None:
        """End connections that are beyond a limit, until the process ends."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        try:
            while True:
                await asyncio.sleep(_SWEEP_SECONDS)
                now = loop.time()
                self.lingerers.enforce(now)
                self._enforce(now, now - before)
                before = now
        finally:
            self.lingerers.close()

    def _enforce(self, now: float, elapsed: float) -> None:
        for connection in list(self.open):
            try:
                connection.enforce(now, elapsed)
            except Exception:
                # One connection's fault must not end the limits of all others.
                _log.exception("A connection could not be looked at; it is ended")
                connection.transport.abort()
                self.forget(connection)


class LimitedProtocol(H11Protocol):
    """One connection over HTTP."""

    def __init__(
        self,
        owner: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None,
        first: bytes,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._owner = owner
        self._first = first
        # When the head of the next request began; None between two requests, and while one is served.
        self._head_began: float | None = self.loop.time()
        self._body_left = owner.limits.body_seconds
        self._answer_left = owner.limits.answer_seconds
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count the time, or refuse one connection too many."""
        has_room = self._owner.has_room()
        super().connection_made(LingeringTransport(transport, self, self._owner.lingerers))
        self._owner.open.add(self)
        if not has_room:
            self.transport.write(_FULL)
            self.transport.close()
            return
        self._owner.idle[self] = None
        if self._first:
            self.data_received(self._first)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._owner.forget(self)
        super().connection_lost(exc)

    def make_room(self) -> None:
        """End a connection without a request, for the sake of another one."""
        if self._head_began is None or self.transport.get_write_buffer_size():
            self.transport.abort()
            return
        # Its first request may be on the way.
        self.transport.write(_FULL)
        self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that waits for no answer."""
        cast("LingeringTransport", self.transport).close_now()

    def data_received(self, data: bytes) -> None:
        """Serve what the client sent, and count it."""
        limits = self._owner.limits
        if self.conn.their_state is h11.SEND_BODY:
            earned = len(data) / limits.body_bytes_per_second
            self._body_left = min(limits.body_seconds, self._body_left + earned)
        elif self.conn.their_state is h11.IDLE and self._head_began is None:
            self._head_began = self.loop.time()
        super().data_received(data)
        self._note_state()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._note_state()

    def _note_state(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self._owner.idle.setdefault(self)
        elif self._head_began is not None or self in self._owner.idle:
            self._head_began = None
            self._body_left = self._owner.limits.body_seconds
            self._owner.idle.pop(self, None)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand a websocket of Realtime over, and serve others here."""
        owner = self._owner
        port = self.server[1] if self.server else 0
        is_other = port != owner.websocket_port or not self.scope["path"].startswith(owner.websocket_path)
        owner.forget(self)
        if owner.websockets is None or is_other:
            super().handle_websocket_upgrade(event)
            return
        lines = [event.method + b" " + event.target + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.headers]
        head = b"\r\n".join([*lines, b"", b""]) + self.conn.trailing_data[0]
        if len(head) > MAX_HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
            return
        owner.websockets.give(self.transport.get_extra_info("socket").fileno(), head)
        # Closes only this process's descriptor, so the client notices nothing.
        self.transport.abort()

    def enforce(self, now: float, elapsed: float) -> None:
        """End the connection if it is beyond a limit.

        Arguments:
            now: the event loop's time.
            elapsed: the seconds since the last call.
        """
        limits = self._owner.limits
        if self._is_stalled(elapsed):
            self.transport.abort()
        elif self.transport.is_closing():
            return
        elif self._head_began is not None and now - self._head_began > limits.head_seconds:
            self._time_out()
        elif self._waits_for_body():
            self._body_left -= elapsed
            if self._body_left < 0:
                self._time_out()

    def _is_stalled(self, elapsed: float) -> bool:
        """Return whether the client has read nothing of its answer for too long."""
        unsent = self.transport.get_write_buffer_size()
        # Many clients read only after they have sent everything.
        if unsent == 0 or unsent != self._unsent or self._waits_for_body():
            self._answer_left = self._owner.limits.answer_seconds
        else:
            self._answer_left -= elapsed
        self._unsent = unsent
        return self._answer_left < 0

    def _waits_for_body(self) -> bool:
        if self.conn.their_state is not h11.SEND_BODY or self.flow.read_paused:
            return False
        # A client that asked whether to send its body waits for the service.
        cycle = self._cycle()
        return cycle is None or not cycle.waiting_for_100_continue

    def _cycle(self) -> RequestResponseCycle | None:
        # uvicorn declares that it is there before the first request, too.
        return self.cycle

    def _time_out(self) -> None:
        cycle = self._cycle()
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_TIMEOUT)
        if cycle is not None and not cycle.response_complete:
            # The service learns that the rest will not come, and its answer is dropped.
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

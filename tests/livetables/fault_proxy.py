"""A proxy between the engine and its Supabase that can fail as networks and servers do.

For random faults (delays, lost answers) it calls a function of the test, so that a seed repeats them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tests.support.wait import wait_until

T = TypeVar("T")

Message = dict[str, Any]
Rewrite = Callable[[Message], Message | None]
"""Returns what to pass on for a message to the client, None to drop it."""

_CHUNK = 65_536
_LONG = 600.0
# Clients send the head of a request in a piece of its own. The live tables ask for changes with a POST.
_WRITE = re.compile(rb"(POST|PATCH|PUT|DELETE) /(rest/v1/(?!rpc/changes_since)|storage/v1/)")
_TOPIC = re.compile(rb'"topic": ?"(realtime:[^"]+)"')
_TEXT, _CLOSE = 0x81, 0x88
_UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(slots=True, eq=False)
class _Connection:
    """One connection through the proxy. It is a websocket once it has been upgraded."""

    client: asyncio.StreamWriter
    upstream: asyncio.StreamWriter
    websocket: bool = False
    forgotten: bool = False

    def abort(self) -> None:
        for writer in (self.client, self.upstream):
            writer.transport.abort()


@dataclass(slots=True)
class FaultProxy:
    """Passes bytes through unless a fault is switched on. Fields and methods may be used on any thread."""

    host: str
    port: int
    stalled: bool = False
    """Pass nothing on in either direction and close nothing: a half-open network."""
    writes_stalled: bool = False
    """Hold back requests that write; everything else goes on, so nobody notices an outage."""
    silent: bool = False
    """Accept new connections and never answer them."""
    no_websockets: bool = False
    """Refuse new websockets; HTTP works."""
    failing: bool = False
    """Answer new connections with 503, as a gateway without servers does."""
    delay: Callable[[], float] | None = None
    """Returns the seconds by which a piece is late. Connections overtake each other, pieces of one do not."""
    loses_answer: Callable[[], bool] | None = None
    """Returns whether to reset the connection of a request that was passed on, instead of its answer."""
    rewrite: Rewrite | None = None
    """Called with every message to a client of a websocket."""
    url: str = ""
    requests: int = 0
    topics: set[str] = field(default_factory=set)
    """The channels that a server has let somebody join."""
    _connections: set[_Connection] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None
    _server: asyncio.Server | None = None
    _port: int = 0

    @property
    def websockets(self) -> int:
        """How many websockets are open."""
        return sum(connection.websocket for connection in tuple(self._connections))

    def cut(self) -> None:
        """Reset every connection."""
        self._call(self._cut)

    def refuse(self) -> None:
        """Reset every connection and accept no new one."""
        self._call(self._close)

    def accept(self) -> None:
        """Accept connections again, at the same address."""
        self._call(self._listen)

    def forget(self) -> None:
        """Never pass anything on for the present connections, and do not close them. New ones work.

        A restarted router behaves like this: it does not know the connections through it.
        """

        async def forget() -> None:
            for connection in self._connections:
                connection.forgotten = True

        self._call(forget)

    def close_websockets(self, code: int) -> None:
        """Close every websocket from the server's side with this code; 1006 closes without a message."""

        async def close() -> None:
            for connection in [c for c in self._connections if c.websocket]:
                with contextlib.suppress(OSError):
                    if code != 1006:
                        connection.client.write(_frame(_CLOSE, struct.pack(">H", code)))
                        await connection.client.drain()
                    connection.client.close()
                connection.upstream.transport.abort()

        self._call(close)

    def inject(self, message: Message) -> None:
        """Send a message to the client of every websocket, as the server would."""

        async def send() -> None:
            for connection in [c for c in self._connections if c.websocket]:
                connection.client.write(_frame(_TEXT, json.dumps(message).encode()))

        self._call(send)

    def heal(self) -> None:
        """Switch off every fault. Stalled connections are reset, and what was sent on them is lost."""
        was_stalled = self.stalled or self.silent
        self.stalled = self.writes_stalled = self.silent = self.no_websockets = self.failing = False
        self.rewrite = self.delay = self.loses_answer = None
        if self._server is None:
            self.accept()
        if was_stalled:
            self.cut()

    def heal_quietly(self) -> None:
        """Switch off every fault for new connections. Stalled connections stay silent."""
        self.forget()
        self.stalled = self.silent = False
        self.heal()

    def _call(self, function: Callable[[], Any]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(function(), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def _close(self) -> None:
        if self._server is not None:
            # asyncio would leave a connection open forever that it accepts while closing, so accept no more.
            for listener in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listener.fileno())
            for _ in range(3):
                await asyncio.sleep(0)
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        for connection in self._connections:
            connection.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)

        def close(task: asyncio.Task[None]) -> None:
            # Here and not in the task, which may be cancelled before it begins.
            self._tasks.discard(task)
            writer.transport.abort()

        task.add_done_callback(close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            upstream_reader, upstream = await asyncio.open_connection(self.host, self.port)
            connection = _Connection(writer, upstream)
            self._connections.add(connection)
            try:
                await self._pass(connection, reader, upstream_reader)
            finally:
                self._connections.discard(connection)
                connection.abort()

    async def _pass(
        self, connection: _Connection, reader: asyncio.StreamReader, upstream: asyncio.StreamReader
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        await self._unless_stalled(connection, silent=True)
        await self._unless_held_back(connection, head)
        wants_websocket = b"upgrade: websocket" in head.lower()
        if self.failing or (wants_websocket and self.no_websockets):
            connection.client.write(_UNAVAILABLE if self.failing else _FORBIDDEN)
            await connection.client.drain()
            return
        if wants_websocket:
            # Messages must not be compressed, so that they can be rewritten.
            lines = [
                line for line in head.split(b"\r\n") if not line.lower().startswith(b"sec-websocket-ext")
            ]
            head = b"\r\n".join(lines)
        connection.upstream.write(head)
        down = self._frames(connection, upstream) if wants_websocket else self._answers(upstream)
        up = self._asked(connection, reader)
        directions = [
            asyncio.create_task(self._carry(connection, up, connection.upstream)),
            asyncio.create_task(self._carry(connection, down, connection.client)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _carry(
        self, connection: _Connection, pieces: AsyncIterator[bytes], target: asyncio.StreamWriter
    ) -> None:
        """Pass the pieces on in order, each after its delay."""
        waiting: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()

        async def take() -> None:
            clock, due = asyncio.get_running_loop().time, 0.0
            try:
                async for piece in pieces:
                    due = max(due, clock() + (self.delay() if self.delay else 0))
                    waiting.put_nowait((due, piece))
            finally:
                waiting.put_nowait(None)

        taking = asyncio.create_task(take())
        try:
            while (piece := await waiting.get()) is not None:
                await asyncio.sleep(max(0, piece[0] - asyncio.get_running_loop().time()))
                await self._unless_stalled(connection)
                target.write(piece[1])
                await target.drain()
            await taking
        finally:
            taking.cancel()

    async def _unless_stalled(self, connection: _Connection, *, silent: bool = False) -> None:
        await wait_until(
            lambda: not (connection.forgotten or self.stalled or (silent and self.silent)),
            within=_LONG,
            what="the proxy to heal",
        )

    async def _unless_held_back(self, connection: _Connection, piece: bytes) -> None:
        if _WRITE.match(piece):
            await wait_until(
                lambda: connection.forgotten or not self.writes_stalled, within=_LONG, what="writes to go on"
            )

    async def _asked(self, connection: _Connection, source: asyncio.StreamReader) -> AsyncIterator[bytes]:
        async for piece in _pieces(source):
            await self._unless_held_back(connection, piece)
            yield piece

    async def _answers(self, source: asyncio.StreamReader) -> AsyncIterator[bytes]:
        async for piece in _pieces(source):
            if self.loses_answer is not None and self.loses_answer():
                raise ConnectionResetError
            yield piece

    async def _frames(self, connection: _Connection, source: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """Yield a server's messages one by one."""
        yield await source.readuntil(b"\r\n\r\n")
        connection.websocket = True
        while True:
            kind, payload = await _read_frame(source)
            if b'"phx_reply"' in payload and (topic := _TOPIC.search(payload)):
                self.topics.add(topic[1].decode())
            if kind == _TEXT and self.rewrite is not None:
                passed = self.rewrite(json.loads(payload))
                if passed is None:
                    continue
                payload = json.dumps(passed).encode()
            yield _frame(kind, payload)


async def _pieces(source: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while data := await source.read(_CHUNK):
        yield data


async def _read_frame(source: asyncio.StreamReader) -> tuple[int, bytes]:
    kind, length = await source.readexactly(2)
    if length == 126:
        (length,) = struct.unpack(">H", await source.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack(">Q", await source.readexactly(8))
    return kind, await source.readexactly(length)


def _frame(kind: int, payload: bytes) -> bytes:
    if len(payload) < 126:
        return struct.pack(">BB", kind, len(payload)) + payload
    if len(payload) < 65_536:
        return struct.pack(">BBH", kind, 126, len(payload)) + payload
    return struct.pack(">BBQ", kind, 127, len(payload)) + payload


@contextmanager
def fault_proxy(url: str) -> Iterator[FaultProxy]:
    """Run a proxy in front of `url`; its own address is in `.url`."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    proxy = FaultProxy(parts.hostname, parts.port or 80)
    loop = proxy._loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fault proxy")
    thread.start()
    try:
        proxy.accept()
        yield proxy
    finally:
        proxy._call(proxy._close)
        proxy._call(lambda: _finish(proxy._tasks))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _finish(tasks: set[asyncio.Task[None]]) -> None:
    running = list(tasks)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

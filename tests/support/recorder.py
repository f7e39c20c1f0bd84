"""A TCP proxy between the app and its Supabase that records every HTTP request, websockets included."""

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_REQUEST = re.compile(rb"(GET|HEAD|POST|PATCH|PUT|DELETE|OPTIONS) (/\S*) HTTP/1\.1\r\n")
_CHUNK = 65_536  # bytes
_LONGEST_LINE = 8_192  # bytes


@dataclass(frozen=True, slots=True)
class Request:
    """The request line of one HTTP request."""

    method: str
    target: str

    @property
    def table(self) -> str | None:
        """Return the table that this reads or writes through REST, or None for any other request."""
        path = urlsplit(self.target).path
        found = re.fullmatch(r"/rest/v1/(\w+)", path)
        return found.group(1) if found else None

    @property
    def is_read(self) -> bool:
        """Return whether this reads rows of a table."""
        return self.table is not None and self.method in ("GET", "HEAD")


class _RequestLines:
    """Finds the request lines in one connection's bytes, wherever the reads cut them."""

    def __init__(self, requests: list[Request]) -> None:
        self._requests = requests
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Add the requests whose lines are complete."""
        data = self._rest + data
        end = 0
        for found in _REQUEST.finditer(data):
            method, target = found.groups()
            self._requests.append(Request(method.decode(), unquote(target.decode())))
            end = found.end()
        self._rest = data[max(end, len(data) - _LONGEST_LINE) :]


@dataclass(slots=True)
class Recorder:
    """Pass bytes on to `host:port` unchanged, and add each request to `requests`."""

    host: str
    port: int
    requests: list[Request] = field(default_factory=list)
    connections: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)
    url: str = ""

    def reads(self) -> list[Request]:
        """Return every read of a table so far."""
        return [request for request in list(self.requests) if request.is_read]

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        """Listen on a free port until `stop` is set, then drop every connection."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stop.wait()
        server.close()
        while self.connections:
            for writer in self.connections.values():
                writer.transport.abort()
            await asyncio.wait(self.connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._pass(reader, writer))
        self.connections[connection] = writer

        def close(connection: asyncio.Task[None]) -> None:
            # Here and not in the task, which may be cancelled before it begins.
            self.connections.pop(connection).transport.abort()

        connection.add_done_callback(close)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closing(writer):
            up_reader, up_writer = await asyncio.open_connection(self.host, self.port)
            async with _closing(up_writer):
                await asyncio.gather(
                    self._copy(reader, up_writer, _RequestLines(self.requests)),
                    self._copy(up_reader, writer, None),
                )

    async def _copy(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, lines: _RequestLines | None
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(_CHUNK):
                if lines is not None:
                    lines.feed(data)
                target.write(data)
                await target.drain()
        target.close()


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.contextmanager
def recording(url: str) -> Iterator[Recorder]:
    """Run a recorder in front of `url` in its own thread. Its address is `Recorder.url`."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    recorder = Recorder(parts.hostname, parts.port or 80)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(recorder.serve(ready, stop))

    thread = threading.Thread(target=run, name="recorder")
    thread.start()
    try:
        assert ready.wait(timeout=60), "The recorder did not start."
        yield recorder
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()

"""Measures live updates with many tabs: how soon all of them have a message, and what that costs.

The tabs are clients of Streamlit's websocket that visit the common room. A writer posts through REST, one
message a second. Beside it, in the same run, a bare websocket server broadcasts as much to as many clients:
the floor. `TAVERN_SCALE_TABS` are the numbers of tabs, 50 and 200 unless it says otherwise.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.figures import Figure
from bench.running import app_with, fresh_stack
from local_supabase.serving import allow_many_sockets
from tests.support.people import Person, sign_up, unique
from tests.support.wait import wait_until

_CHANGES: Final = 20
_PAUSE: Final = 1.0
_SHOWN: Final = 80
_LONGEST: Final = 30.0
_JOIN_TOGETHER: Final = 10
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class _Tab:
    connection: ClientConnection
    arrived: dict[str, list[float]] = field(default_factory=dict)
    """When messages with each text that is waited for arrived."""
    bytes_received: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    listener: asyncio.Task[None] | None = None

    async def listen(self, wanted: set[str]) -> None:
        """Note what arrives, until the connection is closed."""
        async for frame in self.connection:
            now = time.perf_counter()
            data = frame if isinstance(frame, bytes) else frame.encode()
            self.bytes_received += len(data)
            for text in wanted:
                if text.encode() in data:
                    self.arrived.setdefault(text, []).append(now)
            if not self.ready.is_set() and _ends_run(data):
                self.ready.set()


def _ends_run(data: bytes) -> bool:
    return len(data) < 2000 and ForwardMsg.FromString(data).HasField("script_finished")


@dataclass(frozen=True, slots=True)
class _Result:
    latencies: list[float]
    """Seconds from before the request to the bytes, for each delivery."""
    missed: int
    repeated: int
    cpu: float
    """Seconds of processor time for each delivery."""
    size: float
    """Bytes for each delivery."""
    joining: float
    """Seconds of processor time for each tab that joins."""


def main() -> Iterator[Figure]:
    """Measure each number of tabs."""
    allow_many_sockets()
    for count in [int(each) for each in os.environ.get("TAVERN_SCALE_TABS", "50,200").split(",")]:
        floor = _measure_floor(count)
        yield from _figures(f"websocket broadcast, {count} tabs", floor, floor)
        yield from _figures(f"common room, {count} visitors", _measure_room(count), floor)


def _figures(what: str, result: _Result, floor: _Result) -> Iterator[Figure]:
    for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        value, least = _part(result.latencies, part), _part(floor.latencies, part)
        yield Figure(f"{what}: {name}", f"{value * 1000:.0f} ms ({value / least:.1f} x)")
    yield Figure(f"{what}: processor time a delivery", f"{result.cpu * 1000:.2f} ms", "0.1 ms")
    yield Figure(f"{what}: bytes a delivery", f"{result.size:,.0f}", "2,000")
    yield Figure(f"{what}: processor time of joining", f"{result.joining * 1000:.0f} ms", "10 ms")
    yield Figure(f"{what}: missed / repeated", f"{result.missed} / {result.repeated}", "0 / any")


def _part(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(part * 100) - 1]


def _measure_room(count: int) -> _Result:
    with fresh_stack() as stack:
        author = sign_up(stack, "Author")
        _fill(author)
        settings = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}
        headers = {"apikey": stack.anon_key, "Authorization": f"Bearer {_token(author)}"}
        with app_with(settings) as app:
            client = httpx.AsyncClient(base_url=stack.url, headers=headers, timeout=30)

            async def say(text: str) -> None:
                row = {"author_id": author.user_id, "body": text}
                (await client.post("/rest/v1/tavern_messages", json=row)).raise_for_status()

            return asyncio.run(_run(_Server(app.url, app.pid, True, say), count))


def _token(person: Person) -> str:
    session = person.client.auth.get_session()
    assert session is not None
    return session.access_token


def _fill(author: Person) -> None:
    rows = [{"author_id": author.user_id, "body": f"What was said before, number {n}"} for n in range(_SHOWN)]
    author.client.table("tavern_messages").insert(rows).execute()


def _measure_floor(count: int) -> _Result:
    with _floor_server() as (url, pid):
        client = httpx.AsyncClient(base_url=url, timeout=30)

        async def say(text: str) -> None:
            (await client.post("/say", content=text.ljust(200))).raise_for_status()

        return asyncio.run(_run(_Server(url, pid, False, say), count))


@contextmanager
def _floor_server() -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "bench.broadcast_floor:server", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "error"])
    try:
        _wait_open(f"http://127.0.0.1:{port}/say")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_open(url: str) -> None:
    end = time.monotonic() + _LONGEST
    while time.monotonic() < end:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)


@dataclass(frozen=True, slots=True)
class _Server:
    url: str
    pid: int
    runs: bool
    """Whether it runs a script for each tab."""
    say: Callable[[str], Awaitable[None]]


async def _run(server: _Server, count: int) -> _Result:
    wanted: set[str] = set()
    before = _cpu(server.pid)
    tabs = await _join(server.url, count, wanted, runs=server.runs)
    joined = _cpu(server.pid)
    received = sum(tab.bytes_received for tab in tabs)
    sent: dict[str, float] = {}
    for _ in range(_CHANGES):
        text = unique("Said")
        wanted.add(text)
        sent[text] = time.perf_counter()
        await server.say(text)
        await _wait_all(tabs, text)
        await asyncio.sleep(max(0.0, sent[text] + _PAUSE - time.perf_counter()))
    deliveries = count * _CHANGES
    latencies = [
        tab.arrived[text][0] - at for text, at in sent.items() for tab in tabs if text in tab.arrived
    ]
    result = _Result(
        latencies=latencies,
        missed=deliveries - len(latencies),
        repeated=sum(len(times) - 1 for tab in tabs for times in tab.arrived.values()),
        cpu=(_cpu(server.pid) - joined) / deliveries,
        size=(sum(tab.bytes_received for tab in tabs) - received) / deliveries,
        joining=(joined - before) / count,
    )
    await asyncio.gather(*(tab.connection.close() for tab in tabs))
    await asyncio.gather(*(tab.listener for tab in tabs if tab.listener is not None))
    return result


async def _join(url: str, count: int, wanted: set[str], *, runs: bool) -> list[_Tab]:
    """Open tabs, a few at a time. With `runs`, wait until the first run of each has finished."""
    tabs: list[_Tab] = []
    while len(tabs) < count:
        new = [await _open(url, wanted, runs=runs) for _ in range(min(_JOIN_TOGETHER, count - len(tabs)))]
        if runs:
            await asyncio.wait_for(asyncio.gather(*(tab.ready.wait() for tab in new)), _LONGEST)
        tabs += new
    return tabs


async def _open(url: str, wanted: set[str], *, runs: bool) -> _Tab:
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    protocols = [Subprotocol("streamlit"), Subprotocol("PLACEHOLDER_AUTH_TOKEN")]
    connection = await connect(address, subprotocols=protocols, max_size=None, compression=None)
    request = BackMsg()
    request.rerun_script.context_info.timezone = "UTC"
    request.rerun_script.context_info.locale = "en-GB"
    await connection.send(request.SerializeToString())
    tab = _Tab(connection)
    if not runs:
        tab.ready.set()
    tab.listener = asyncio.create_task(tab.listen(wanted))
    return tab


async def _wait_all(tabs: list[_Tab], text: str) -> None:
    await wait_until(lambda: all(text in tab.arrived for tab in tabs), within=_LONGEST, what=text)


def _cpu(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    with open(f"/proc/{pid}/stat") as stat:
        parts = stat.read().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / _TICKS

"""Starts the processes of the app and nginx, prints what they print, and ends them together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from deploy.proxy import tavern_conf, write_configuration
from local_supabase.stack.privileges import child_setup

PROJECT: Final = Path(__file__).resolve().parents[1]
LOOPBACK: Final = "127.0.0.1"
_SHORTEST_LIFE: Final = 10.0
"""Seconds. What ends sooner without having worked would end again, so everything ends and says why."""
_PAUSE: Final = 1.0
"""Seconds before a program is started again."""
_LONGEST_END: Final = 15.0
"""Seconds that everything may take to end before it is killed."""
_ASK_EVERY: Final = 0.5
_LONGEST_LINE: Final = 2**20


@dataclass(eq=False, slots=True)
class Child:
    """A program that runs until everything ends. It is started again if it ends before that."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    works: bool = False
    """Whether it has done its work once, so that it can be started again."""
    failed: bool = False
    _process: asyncio.subprocess.Process | None = None

    async def keep_running(self, stop: asyncio.Event) -> None:
        """Run the program until `stop` is set; set it if the program cannot run."""
        while not stop.is_set():
            started = time.monotonic()
            code = await self._run()
            self.works = self.works or time.monotonic() - started > _SHORTEST_LIFE
            if stop.is_set():
                return
            if not self.works:
                self.failed = True
                _say(f"{self.name} has ended with {code} right after its start. Its last lines say why.")
                stop.set()
                return
            _say(f"{self.name} has ended with {code}, and is started again.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE)

    async def _run(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *self.command,
            cwd=PROJECT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE,
            # In a group of its own, so that Ctrl+C reaches it once, from here.
            preexec_fn=child_setup(None, death_signal=signal.SIGTERM),
        )
        assert self._process.stdout is not None
        while line := await _line(self._process.stdout):
            print(f"{self.name} | {line.decode(errors='replace').rstrip()}", flush=True)  # noqa: T201
        return await self._process.wait()

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask the program to end with a signal, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # too long for a line, and dropped
        return b"\n"


def app(number: int, port: int, shared: Mapping[str, str]) -> Child:
    """Return a process of the app on a port of its own, which only this machine reaches."""
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "asgi.py")]
    command += [f"--server.address={LOOPBACK}", f"--server.port={port}", "--server.headless=true"]
    return Child(f"app {number}", [*command, "--logger.hideWelcomeMessage=true"], shared)


async def run(workers: int, listen: str, url: str, nginx: str) -> bool:
    """Run so many processes behind nginx until a signal ends them. Return whether all went well.

    Arguments:
        workers: the number of the app's processes.
        listen: what nginx listens on, such as `127.0.0.1:8501`.
        url: where people find it.
        nginx: the path of nginx.
    """
    ports = free_ports(workers)
    with tempfile.TemporaryDirectory(prefix="tavern-nginx-") as folder:
        addresses = [f"{LOOPBACK}:{port}" for port in ports]
        config = write_configuration(Path(folder), nginx, tavern_conf(addresses, listen=listen))
        # Signed by one process, read by another.
        shared = {"STREAMLIT_SERVER_COOKIE_SECRET": secrets.token_hex(32)}
        apps = [app(number, port, shared) for number, port in enumerate(ports, start=1)]
        proxy = Child("nginx", [nginx, "-e", "stderr", "-p", folder, "-c", str(config)])
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(child.keep_running(stop)) for child in [*apps, proxy]]
            greeting = tasks.create_task(_greet(apps, addresses, url))
            await stop.wait()
            greeting.cancel()
            proxy.end()
            for child in apps:
                child.end(signal.SIGINT)
            _, late = await asyncio.wait(running, timeout=_LONGEST_END)
            for child in [*apps, proxy] if late else []:
                child.end(signal.SIGKILL)
        return not any(child.failed for child in [*apps, proxy])


async def _greet(apps: Sequence[Child], addresses: Sequence[str], url: str) -> None:
    """Ask each process whether it is ready, which also starts what it needs, and then tell the address."""
    async with httpx.AsyncClient(timeout=10) as client:
        for child, address in zip(apps, addresses, strict=True):
            while not await _is_live(client, address):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(_ASK_EVERY)
            child.works = True
            _say(f"{child.name} is live.")
    _say(f"{len(apps)} processes serve Tavern at {url}")


async def _is_live(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"http://{address}/api/health")).is_success
    except httpx.HTTPError:
        return False


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nothing listens on now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]


def _say(text: str) -> None:
    print(f"tavern | {text}", flush=True)  # noqa: T201

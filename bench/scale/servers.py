"""The servers that are measured: Tavern, and beside it in the same run what it is compared with."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from bench.running import app_with
from local_supabase.stack.runtime import StackInfo
from tests.support.app import AppUnderTest

_MESSAGE: Final = 200
"""The bytes of a broadcast: a message of the room with its sender and time, without any form."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that shows everybody what is posted to `/say`."""

    url: str
    pid: int

    async def say(self, text: str) -> None:
        """Show everybody a text."""
        async with httpx.AsyncClient(timeout=30) as client:
            (await client.post(f"{self.url}/say", content=text.ljust(_MESSAGE))).raise_for_status()


@contextmanager
def tavern(stack: StackInfo) -> Iterator[AppUnderTest]:
    """Run the app on a stack."""
    with app_with({"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}) as app:
        yield app


@contextmanager
def broadcast() -> Iterator[Peer]:
    """Run the bare websocket server: the floor."""
    with _running(["uvicorn", "bench.peers.broadcast:server", "--log-level", "error", "--port"]) as peer:
        yield peer


@contextmanager
def polling() -> Iterator[Peer]:
    """Run an app that polls once a second, as Streamlit's documentation does it."""
    command = ["streamlit", "run", "bench/peers/polling.py", "--server.headless=true"]
    with _running([*command, "--server.fileWatcherType=none", "--server.port"]) as peer:
        yield peer


@contextmanager
def _running(command: list[str]) -> Iterator[Peer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", *command, str(port)], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_open(url)
        yield Peer(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait_open(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)

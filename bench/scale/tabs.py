"""Tabs as the server sees them: clients of Streamlit's websocket that note what arrives, and when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from ui.shell.cookie import NAME

PATIENCE: Final = 30.0
"""Seconds to wait for anything."""

_TOGETHER: Final = 10
_SHORT: Final = 2000
"""What the server asks of the browser takes fewer bytes than this."""


@dataclass(frozen=True, slots=True)
class Address:
    """What tabs open: the server, a page of it, and whether it runs a script for each tab."""

    url: str
    page: str = ""
    runs: bool = True


@dataclass(slots=True)
class Tab:
    """One open tab."""

    connection: ClientConnection
    wanted: set[str]
    """The texts that are waited for. All tabs of a measurement share one set."""
    runs: bool
    """Whether the server speaks Streamlit's protocol."""
    arrived: dict[str, list[float]] = field(default_factory=dict)
    """When messages with each wanted text arrived, as `time.perf_counter` counts."""
    size: int = 0
    """The bytes received so far."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the end of the first run."""
    listener: asyncio.Task[None] | None = None
    pollers: list[asyncio.Task[None]] = field(default_factory=list)

    async def listen(self) -> None:
        """Note what arrives, until the connection is closed."""
        async for frame in self.connection:
            now = time.perf_counter()
            data = frame if isinstance(frame, bytes) else frame.encode()
            self.size += len(data)
            for text in self.wanted:
                if text.encode() in data:
                    self.arrived.setdefault(text, []).append(now)
            if self.runs and len(data) < _SHORT:
                self._obey(ForwardMsg.FromString(data))

    def _obey(self, message: ForwardMsg) -> None:
        """Do what the browser does at the end of a run, and with a fragment that polls."""
        if message.HasField("script_finished"):
            self.ready.set()
        elif message.HasField("auto_rerun"):
            interval, fragment = message.auto_rerun.interval, message.auto_rerun.fragment_id
            self.pollers.append(asyncio.create_task(self._poll(interval, fragment)))

    async def _poll(self, interval: float, fragment: str) -> None:
        while True:
            await asyncio.sleep(interval)
            await self.connection.send(_request(fragment_id=fragment, is_auto_rerun=True))

    async def rerun(self) -> None:
        """Ask for a full run, as the browser does for a click, and wait until it has ended."""
        self.ready.clear()
        await self.connection.send(_request())
        await asyncio.wait_for(self.ready.wait(), PATIENCE)


async def join(address: Address, cookies: Sequence[str], wanted: set[str]) -> list[Tab]:
    """Open a tab for each cookie, an empty one for a visitor, a few at a time; wait for their first runs."""
    tabs: list[Tab] = []
    for begin in range(0, len(cookies), _TOGETHER):
        new = await asyncio.gather(
            *(_open(address, cookie, wanted) for cookie in cookies[begin : begin + _TOGETHER])
        )
        await asyncio.wait_for(asyncio.gather(*(tab.ready.wait() for tab in new)), PATIENCE)
        tabs += new
    return tabs


async def leave(tabs: Sequence[Tab]) -> None:
    """Close the tabs."""
    for poller in [poller for tab in tabs for poller in tab.pollers]:
        poller.cancel()
    await asyncio.gather(*(tab.connection.close() for tab in tabs))
    await asyncio.gather(*(tab.listener for tab in tabs if tab.listener is not None), return_exceptions=True)


async def _open(address: Address, cookie: str, wanted: set[str]) -> Tab:
    connection = await connect(
        address.url.replace("http", "ws", 1) + "/_stcore/stream",
        subprotocols=[Subprotocol("streamlit"), Subprotocol("PLACEHOLDER_AUTH_TOKEN")],
        additional_headers={"Cookie": f"{NAME}={quote(cookie)}"} if cookie else {},
        max_size=None,
        compression=None,
        open_timeout=PATIENCE,
        ping_interval=None,
    )
    tab = Tab(connection, wanted, address.runs)
    tab.listener = asyncio.create_task(tab.listen())
    await connection.send(_request(page_name=address.page))
    if not address.runs:
        tab.ready.set()
    return tab


def _request(**run: Any) -> bytes:
    request = BackMsg(rerun_script=ClientState(**run))
    request.rerun_script.context_info.timezone = "UTC"
    request.rerun_script.context_info.locale = "en-GB"
    return bytes(request.SerializeToString())

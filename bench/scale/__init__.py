"""Measures live updates with many tabs: how soon all of them have a change, and what that costs.

The tabs are clients of Streamlit's websocket (`tabs`). They show a page with many rows (`scenes`), as
visitors, as people who are each signed in, or as tabs of ten people. A writer changes one row a second
through REST. Beside it, in the same run, a bare websocket server broadcasts as much to as many clients: the
floor (`servers`).

- `TAVERN_SCALE_TABS`: the numbers of tabs, "50,200" unless it says otherwise.
- `TAVERN_SCALE_SCENES`: the scenes, "room,events,people".
- `TAVERN_SCALE_WHO`: who has the tabs, "visitors,people,ten".
- `TAVERN_SCALE_CHANGES`: the number of changes, 20.
- `TAVERN_SCALE_PEERS`: what else is measured, "polling" or nothing.
- `TAVERN_SCALE_RESULT`: where the results go, as JSON and as a Markdown table beside it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from bench.figures import Figure
from bench.running import fresh_stack
from bench.scale import report, servers
from bench.scale.measure import Result, Subject, measure
from bench.scale.scenes import SCENES, Scene, fill, writers
from bench.scale.servers import Peer
from bench.scale.tabs import Address
from local_supabase.serving import allow_many_sockets
from local_supabase.stack.runtime import StackInfo
from tests.support.people import sign_in_elsewhere, sign_up

_TEN: Final = 10
_PEERS: Final = {"polling": ("Streamlit that polls", servers.polling)}


def main() -> Iterator[Figure]:
    """Measure each scene with each number of tabs, and write the results down."""
    allow_many_sockets()
    results: list[Result] = []
    for count in [int(each) for each in _chosen("TABS", "50,200")]:
        floor = _peer("Websocket broadcast", servers.broadcast(), count, runs=False)
        results.append(floor)
        yield from report.figures(floor, floor)
        for result in _beside_the_floor(count):
            results.append(result)
            yield from report.figures(result, floor)
    if path := os.environ.get("TAVERN_SCALE_RESULT"):
        report.write(Path(path), results)


def _beside_the_floor(count: int) -> Iterator[Result]:
    for name in _chosen("PEERS", "polling"):
        what, server = _PEERS[name]
        yield _peer(what, server(), count)
    for name in _chosen("SCENES", "room,events,people"):
        for who in _chosen("WHO", "visitors,people,ten"):
            yield _tavern(name, SCENES[name], who, count)


def _peer(what: str, server: AbstractContextManager[Peer], count: int, *, runs: bool = True) -> Result:
    with server as peer:
        address = Address(peer.url, runs=runs)
        return asyncio.run(measure(Subject(what, peer.pid, address, [""] * count, peer.say)))


def _tavern(name: str, scene: Scene, who: str, count: int) -> Result:
    with fresh_stack() as stack:
        some = writers(stack)
        fill(stack, scene, some.first)
        cookies = _cookies(stack, who, count)
        with servers.tavern(stack) as app:

            async def change(text: str) -> None:
                await scene.change(some, text)

            address = Address(app.url, scene.page)
            return asyncio.run(measure(Subject(f"{name}, {who}", app.pid, address, cookies, change)))


def _cookies(stack: StackInfo, who: str, count: int) -> Sequence[str]:
    """Return a cookie for each tab: of a person of its own, of one of ten, or of nobody."""
    if who == "visitors":
        return [""] * count
    people = [sign_up(stack, "Guest") for _ in range(count if who == "people" else _TEN)]
    cookies = [str(sign_in_elsewhere(stack, one.email, one.password)) for one in people]
    return [cookies[n % len(cookies)] for n in range(count)]


def _chosen(name: str, default: str) -> list[str]:
    return [each for each in os.environ.get(f"TAVERN_SCALE_{name}", default).split(",") if each]

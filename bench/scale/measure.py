"""One measurement: tabs join, changes are made, and every delivery is accounted for."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.scale.tabs import PATIENCE, Address, Tab, join, leave
from tests.support.people import unique
from tests.support.wait import wait_until

CHANGES: Final = int(os.environ.get("TAVERN_SCALE_CHANGES", "20"))
"""How many changes a measurement makes, one a second."""

_PAUSE: Final = 1.0
_SETTLE: Final = 2.0
"""Seconds after the last tab has joined: its presence still goes to the others."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Result:
    """What one measurement found. Times are in milliseconds."""

    what: str
    tabs: int
    p50: float
    p95: float
    p99: float
    missed: int
    repeated: int
    cpu: float
    """Processor time of the app for each delivery."""
    size: float
    """Bytes for each delivery."""
    joining: float
    """Processor time of the app for each tab that joins."""
    memory: float
    """KiB for each tab."""

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Subject:
    """A server to measure: what it is called, the tabs that it gets, and how a change of it is made."""

    what: str
    pid: int
    address: Address
    cookies: Sequence[str]
    change: Callable[[str], Awaitable[None]]


async def measure(subject: Subject) -> Result:
    """Join, make the changes, and leave."""
    wanted: set[str] = set()
    await leave(await join(subject.address, [subject.cookies[0]], wanted))  # what a process does only once
    cpu, memory = cpu_of(subject.pid), memory_of(subject.pid)
    tabs = await join(subject.address, subject.cookies, wanted)
    joined = cpu_of(subject.pid)
    await asyncio.sleep(_SETTLE)
    occupied = memory_of(subject.pid)
    try:
        before, sizes = cpu_of(subject.pid), sum(tab.size for tab in tabs)
        sent = await _make_changes(subject, tabs, wanted)
        used, received = cpu_of(subject.pid) - before, sum(tab.size for tab in tabs) - sizes
    finally:
        await leave(tabs)
    latencies = [
        tab.arrived[text][0] - at for text, at in sent.items() for tab in tabs if text in tab.arrived
    ]
    deliveries = len(tabs) * len(sent)
    return Result(
        what=subject.what,
        tabs=len(tabs),
        p50=_part(latencies, 50),
        p95=_part(latencies, 95),
        p99=_part(latencies, 99),
        missed=deliveries - len(latencies),
        repeated=sum(len(times) - 1 for tab in tabs for times in tab.arrived.values()),
        cpu=used / deliveries * 1000,
        size=received / deliveries,
        joining=(joined - cpu) / len(tabs) * 1000,
        memory=(occupied - memory) / len(tabs),
    )


async def _make_changes(subject: Subject, tabs: Sequence[Tab], wanted: set[str]) -> dict[str, float]:
    """Return when each text was sent."""
    sent: dict[str, float] = {}
    for _ in range(CHANGES):
        text = unique("Said").replace(" ", "-")
        wanted.add(text)
        sent[text] = time.perf_counter()
        await subject.change(text)
        await _wait_shown(tabs, text)
        await asyncio.sleep(max(0.0, sent[text] + _PAUSE - time.perf_counter()))
    return sent


async def _wait_shown(tabs: Sequence[Tab], text: str) -> None:
    """Wait until all tabs have the text; those that do not get it in time have missed it."""
    try:
        await wait_until(lambda: all(text in tab.arrived for tab in tabs), within=PATIENCE, what=text)
    except AssertionError:
        missed = sum(text not in tab.arrived for tab in tabs)
        print(f"{missed} of {len(tabs)} tabs missed {text!r}", flush=True)


def _part(seconds: Sequence[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    with open(f"/proc/{pid}/stat") as stat:
        parts = stat.read().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / _TICKS


def memory_of(pid: int) -> float:
    """Return the resident memory of a process in KiB."""
    with open(f"/proc/{pid}/status") as status:
        found = next(line for line in status if line.startswith("VmRSS"))
    return float(found.split()[1])

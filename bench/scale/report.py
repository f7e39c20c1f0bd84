"""The results of a measurement as figures, as JSON, and as a Markdown table, with ratios to the floor."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.figures import Figure
from bench.scale.measure import Result

DATABASE: Final = 15.0
"""The milliseconds that the database's part of a change may add to the floor."""

_COLUMNS: Final = (
    *("what", "tabs", "p50", "p95", "p99", "x floor (p50 / p95)"),
    *("CPU a delivery", "bytes", "joining", "memory", "missed"),
)


def figures(result: Result, floor: Result) -> Iterator[Figure]:
    """Return the figures of one result beside the floor of the same run."""
    what = f"{result.what}, {result.tabs} tabs"
    for name in ("p50", "p95", "p99"):
        value, least = getattr(result, name), getattr(floor, name)
        goal = "" if result is floor else f"{2 * least + DATABASE:.0f} ms"
        yield Figure(f"{what}: {name}", f"{value:.0f} ms ({value / least:.1f} x)", goal)
    yield Figure(f"{what}: processor time a delivery", f"{result.cpu:.2f} ms", "0.10 ms")
    yield Figure(f"{what}: bytes a delivery", f"{result.size:,.0f}", "2,000")
    joining = "25 ms" if "people" in result.what.rpartition(",")[2] else "10 ms"
    yield Figure(f"{what}: processor time of joining", f"{result.joining:.1f} ms", joining)
    yield Figure(f"{what}: memory a tab", f"{result.memory:.0f} KiB", "")
    yield Figure(f"{what}: missed / repeated", f"{result.missed} / {result.repeated}", "0 / any")


def write(path: Path, results: Sequence[Result]) -> None:
    """Write the results as JSON, and as a Markdown table into a file beside it."""
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"machine": machine, "results": [result.record() for result in results]}
    path.write_text(json.dumps(record, indent=2) + "\n")
    path.with_suffix(".md").write_text(_markdown(machine, results))


def _markdown(machine: str, results: Sequence[Result]) -> str:
    floors = {result.tabs: result for result in reversed(results)}  # the first of each number of tabs
    lines = [machine, "", _line(_COLUMNS), "|---" * len(_COLUMNS) + "|"]
    lines += [_line(_cells(result, floors[result.tabs])) for result in results]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _cells(result: Result, floor: Result) -> tuple[object, ...]:
    return (
        result.what,
        result.tabs,
        f"{result.p50:.0f} ms",
        f"{result.p95:.0f} ms",
        f"{result.p99:.0f} ms",
        f"{result.p50 / floor.p50:.1f} / {result.p95 / floor.p95:.1f}",
        f"{result.cpu:.2f} ms",
        f"{result.size:,.0f}",
        f"{result.joining:.1f} ms",
        f"{result.memory:.0f} KiB",
        result.missed,
    )

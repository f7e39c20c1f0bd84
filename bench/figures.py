"""The figures that measurements return, and their table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure: its name, its value with the unit, and the goal if there is one."""

    what: str
    value: str
    goal: str = ""


def percentiles(seconds: Sequence[float]) -> str:
    """Format the median and the 95th percentile of samples given in seconds."""
    if len(seconds) < 2:
        return "too few samples"
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return f"p50 {statistics.median(seconds) * 1000:.1f} ms, p95 {cuts[18] * 1000:.1f} ms"


def table(figures: Sequence[Figure]) -> str:
    """Format the figures in columns for a terminal."""
    rows = [("what", "measured", "goal"), *((f.what, f.value, f.goal) for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])

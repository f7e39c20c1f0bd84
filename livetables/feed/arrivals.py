"""The rows that a stream has brought lately, which are read again when it ends.

A message that comes late may be older than what was read meanwhile: it brings a row that was deleted before
the read, and the deletion is lost with the stream. The log names the row no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from livetables.tables.changes import Change, Key, Op

LATEST: Final = 60.0
"""Seconds by which a message may be late."""

MOST: Final = 2000
"""How many rows are remembered: reading more after each end of a stream would cost more than it mends."""


class Arrivals:
    """Remembers rows by table and key. `clock` returns seconds of a monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rows: dict[tuple[str, Key], float] = {}

    def note(self, changes: Iterable[Change[Any]]) -> None:
        """Remember the rows that these changes have brought, and forget those that they have deleted."""
        now = self._clock()
        for change in changes:
            row = (change.table, change.key)
            self._rows.pop(row, None)
            if change.op is not Op.DELETE:
                self._rows[row] = now
        while self._rows:
            oldest, noted = next(iter(self._rows.items()))
            if len(self._rows) <= MOST and now - noted <= LATEST:
                break
            del self._rows[oldest]

    def take(self) -> list[tuple[str, Key]]:
        """Return the rows that were brought lately, oldest first, and forget them."""
        since = self._clock() - LATEST
        rows, self._rows = self._rows, {}
        return [row for row, noted in rows.items() if noted >= since]

"""The bounded buffer of routing decisions that are not sent yet. No I/O; thread-safe."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CAPACITY: Final = 10_000
"""Decisions that are kept; beyond them the oldest are dropped and counted."""
MAX_BYTES: Final = 16_000_000
"""Bytes of JSON that are kept, which matters where prompts are stored."""
BATCH: Final = 200
"""Decisions in one request."""
BATCH_BYTES: Final = 1_000_000
"""Bytes of JSON in one request."""


@dataclass(slots=True)
class BufferedRow:
    """One row, and the size of its JSON in bytes."""

    row: dict[str, object]
    size: int


class MetricsBuffer:
    """Rows that were added and are not known to have arrived.

    `capacity` is the number of waiting rows. A row says in its column `dropped` how many were dropped before
    it, so that the board can show it.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = max(1, capacity)
        self._lock = threading.Lock()
        self._waiting: deque[BufferedRow] = deque()
        self._bytes = 0
        self._in_flight = 0
        self._unreported_drops = 0
        self.dropped = 0
        """Decisions dropped so far."""

    def __len__(self) -> int:
        """Count the rows that wait or are in flight."""
        return len(self._waiting) + self._in_flight

    def add(self, row: dict[str, object]) -> bool:
        """Add a row; return False if an older one was dropped for it."""
        buffered = BufferedRow(row, len(json.dumps(row)))
        with self._lock:
            before = self.dropped
            self._waiting.append(buffered)
            self._bytes += buffered.size
            self._drop_excess()
            return self.dropped == before

    def take(self) -> list[BufferedRow]:
        """Return the oldest rows, as many as fit in one request. They are in flight then."""
        with self._lock:
            batch: list[BufferedRow] = []
            size = 0
            while self._waiting and len(batch) < BATCH:
                size += self._waiting[0].size
                if batch and size > BATCH_BYTES:
                    break
                batch.append(self._waiting.popleft())
                self._bytes -= batch[-1].size
            if batch and self._unreported_drops:
                batch[0].row["dropped"] = self._unreported_drops + _reported_drops(batch[0])
                self._unreported_drops = 0
            self._in_flight += len(batch)
            return batch

    def discard(self, count: int) -> None:
        """Forget rows in flight that arrived, or never will."""
        with self._lock:
            self._in_flight -= count

    def put_back(self, batch: Sequence[BufferedRow]) -> None:
        """Return rows in flight, which could not be sent now, to the front of the buffer."""
        with self._lock:
            self._in_flight -= len(batch)
            self._waiting.extendleft(reversed(batch))
            self._bytes += sum(buffered.size for buffered in batch)
            self._drop_excess()

    def _drop_excess(self) -> None:
        while len(self._waiting) > self._capacity or (self._bytes > MAX_BYTES and len(self._waiting) > 1):
            oldest = self._waiting.popleft()
            self._bytes -= oldest.size
            self.dropped += 1
            self._unreported_drops += 1 + _reported_drops(oldest)


def _reported_drops(buffered: BufferedRow) -> int:
    dropped = buffered.row["dropped"]
    return dropped if isinstance(dropped, int) else 0

"""Decisions that wait to be sent: as many as there is room for, the newest ones. No I/O; thread-safe."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CAPACITY: Final = 10_000
"""Decisions kept while they cannot be sent; then the oldest make room, and are counted."""
MOST_BYTES: Final = 16_000_000
"""And so much of their JSON, which counts where prompts are kept."""
BATCH: Final = 200
BATCH_BYTES: Final = 1_000_000


@dataclass(slots=True)
class Waiting:
    """One row, and the size of its JSON."""

    row: dict[str, object]
    size: int


class MetricsBuffer:
    """What was added and is not known to have arrived."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = max(1, capacity)
        self._lock = threading.Lock()
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._under_way = 0
        self._untold = 0
        self.dropped = 0
        """Decisions that there was no room for."""

    def __len__(self) -> int:
        """Count what waits or is on its way."""
        return len(self._waiting) + self._under_way

    def add(self, row: dict[str, object]) -> bool:
        """Take a row; False when an older one had to make room."""
        waiting = Waiting(row, len(json.dumps(row)))
        with self._lock:
            before = self.dropped
            self._waiting.append(waiting)
            self._bytes += waiting.size
            self._make_room()
            return self.dropped == before

    def take(self) -> list[Waiting]:
        """Return the oldest for one request, told how many were dropped before them."""
        with self._lock:
            batch: list[Waiting] = []
            size = 0
            while self._waiting and len(batch) < BATCH:
                size += self._waiting[0].size
                if batch and size > BATCH_BYTES:
                    break
                batch.append(self._waiting.popleft())
                self._bytes -= batch[-1].size
            if batch and self._untold:
                told = batch[0].row["dropped"]
                batch[0].row["dropped"] = self._untold + (told if isinstance(told, int) else 0)
                self._untold = 0
            self._under_way += len(batch)
            return batch

    def settled(self, count: int) -> None:
        """Forget rows that were taken: they arrived, or never will."""
        with self._lock:
            self._under_way -= count

    def back(self, batch: Sequence[Waiting]) -> None:
        """Take rows back that could not be sent now."""
        with self._lock:
            self._under_way -= len(batch)
            self._waiting.extendleft(reversed(batch))
            self._bytes += sum(waiting.size for waiting in batch)
            self._make_room()

    def _make_room(self) -> None:
        while len(self._waiting) > self._capacity or (self._bytes > MOST_BYTES and len(self._waiting) > 1):
            oldest = self._waiting.popleft()
            self._bytes -= oldest.size
            told = oldest.row["dropped"]
            self.dropped += 1
            self._untold += 1 + (told if isinstance(told, int) else 0)

"""What this process has delivered since it started: counted here and nowhere else, for whoever shows it.

The page Diagnostics and the metrics of the HTTP API read it. Faults are counted in `faults`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

__all__ = ["COUNTS", "Counted", "Counts"]


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts at one time.

    - `changes` arrived over the streams of all feeds.
    - `timed` are those that say when they were committed, and `lag` is how long all of them took together.
      It compares the clocks of two machines, so it may be slightly wrong.
    - `pushes` were elements sent to a session without a run of its script.
    - `reruns` were fragments that ran again because of somebody's change, once for all of a session.
    - `repaired` are the changes that a stream lost while it was live, and that reading found.
    """

    changes: int = 0
    timed: int = 0
    lag: timedelta = timedelta(0)
    pushes: int = 0
    reruns: int = 0
    repaired: int = 0


class Counts:
    """Counts. Methods may be called on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted = Counted()

    @property
    def now(self) -> Counted:
        """The counts so far."""
        return self._counted

    def arrived(self, changes: int, lags: list[timedelta]) -> None:
        """Count changes that arrived together, and how long each of them took that says so."""
        with self._lock:
            now = self._counted
            lag = sum((max(lag, timedelta(0)) for lag in lags), now.lag)
            self._counted = replace(now, changes=now.changes + changes, timed=now.timed + len(lags), lag=lag)

    def pushed(self) -> None:
        """Count a session that was sent elements."""
        with self._lock:
            self._counted = replace(self._counted, pushes=self._counted.pushes + 1)

    def rerun(self) -> None:
        """Count a session whose fragments run again."""
        with self._lock:
            self._counted = replace(self._counted, reruns=self._counted.reruns + 1)

    def repaired(self, changes: int) -> None:
        """Count changes that a stream had lost."""
        with self._lock:
            self._counted = replace(self._counted, repaired=self._counted.repaired + changes)


COUNTS: Final = Counts()
"""The counts of this process."""

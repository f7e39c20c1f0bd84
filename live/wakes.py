"""Waking sessions: merged per session, a few at a time.

Each wake starts a script thread, and hundreds at once starve the event loop that serves the browsers. So no
more than a few run at the same time, and while one waits for its turn, what else changes joins it. Under
load the sessions are therefore woken less often, each time for more, and no queue grows beyond one entry a
session.

Between two wakes of one session there is a pause, as long as the first one took and never less than `PAUSE`:
a browser has no way to say that it cannot keep up, and the person in front of it wants to be heard between.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from live.rerun import Wake

Deliver = Callable[[str, frozenset[str]], Wake]

AT_ONCE: Final = 4
"""Woken sessions whose scripts run at the same time."""

PAUSE: Final = 0.05
"""Seconds at least between the end of a session's wake and the next."""

LONGEST_PAUSE: Final = 0.5

STUCK: Final = 2.0
"""Seconds after which a script that still runs no longer counts among these."""

_LOOK_AGAIN: Final = 0.005
_BUSY_LOOK_AGAIN: Final = 0.01


class Wakes:
    """Wakes sessions on their own event loop. `wake` is for any thread, all else happens on the loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Deliver, at_rest: Callable[[str], bool]
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._at_rest = at_rest
        self._lock = threading.Lock()
        self._pending: dict[str, frozenset[str]] = {}
        self._running: dict[str, float] = {}
        self._pausing: dict[str, float] = {}
        self._scheduled = False

    def wake(self, sessions: Iterable[str], tables: frozenset[str]) -> None:
        """Have these sessions show what changed in these tables, soon."""
        with self._lock:
            for session in sessions:
                self._pending[session] = self._pending.get(session, frozenset()) | tables
            if self._scheduled or not self._pending:
                return
            self._scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._turn)
        except RuntimeError:  # the server has shut down, and with it every session
            self._pending.clear()

    @property
    def pausing(self) -> frozenset[str]:
        """The sessions that were woken a moment ago and have to wait."""
        return frozenset(self._pausing)

    def _turn(self) -> None:
        self._drop_finished()
        busy: dict[str, frozenset[str]] = {}
        while len(self._running) < AT_ONCE and (taken := self._take()) is not None:
            session, tables = taken
            if session in self._pausing:
                busy[session] = tables
                continue
            outcome = self._deliver(session, tables)
            if outcome is Wake.STARTED:
                self._running[session] = time.monotonic()
            elif outcome is Wake.BUSY:
                busy[session] = tables
        self._go_on(busy)

    def _drop_finished(self) -> None:
        now = time.monotonic()
        self._pausing = {session: until for session, until in self._pausing.items() if until > now}
        for session, since in list(self._running.items()):
            if self._at_rest(session) or now - since > STUCK:
                del self._running[session]
                self._pausing[session] = now + min(max(PAUSE, now - since), LONGEST_PAUSE)

    def _take(self) -> tuple[str, frozenset[str]] | None:
        """Take the session that has waited longest."""
        with self._lock:
            session = next(iter(self._pending), None)
            return None if session is None else (session, self._pending.pop(session))

    def _go_on(self, busy: dict[str, frozenset[str]]) -> None:
        """Come back while anything is pending or running; what was busy goes to the end of the line."""
        with self._lock:
            waiting = bool(self._pending)
            for session, tables in busy.items():
                self._pending[session] = self._pending.get(session, frozenset()) | tables
            self._scheduled = bool(self._pending or self._running)
        if waiting or self._running:
            self._loop.call_later(_LOOK_AGAIN, self._turn)
        elif busy:
            self._loop.call_later(_BUSY_LOOK_AGAIN, self._turn)

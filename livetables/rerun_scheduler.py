"""Schedules the reruns of sessions: merged per session, and only a few at a time.

A rerun starts a script thread, and hundreds of them at once would starve the event loop that serves the
browsers. So only a few sessions rerun at the same time; while a session waits for its turn, further changes
join its rerun. Under load sessions therefore rerun less often, for more changes each time, and the queue
never holds more than one entry a session.

After a rerun a session pauses (`rerun_pauses`), which leaves time for its user's own actions.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Final

from livetables.faults import FAULTS
from livetables.rerun_pauses import MAX_PAUSE, Pauses


class RerunResult(Enum):
    """The result of asking a session to rerun fragments."""

    STARTED = auto()
    """The fragments are running."""
    BUSY = auto()
    """The session's script is running, or its output is not sent yet. Ask again later."""
    NOTHING = auto()
    """The session no longer shows any of these fragments, or is shutting down."""
    GONE = auto()
    """No browser is connected. Its next connection starts with a full run."""


Rerun = Callable[[str, frozenset[str]], RerunResult]
"""Reruns the fragments of a session that show these tables. Called on the sessions' event loop."""

MAX_CONCURRENT: Final = 4
"""How many sessions rerun at the same time."""

STUCK_AFTER: Final = 2.0
"""Seconds after which a script that is still running no longer counts as concurrent."""

_RECHECK: Final = 0.005
_RECHECK_BUSY: Final = 0.01


class RerunScheduler:
    """Reruns sessions on their own event loop. `schedule` is for any thread; the callables run on the loop.

    - `rerun` starts the rerun of a session.
    - `is_idle` returns whether no script of a session is running.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, rerun: Rerun, is_idle: Callable[[str], bool]) -> None:
        self._loop = loop
        self._rerun = rerun
        self._is_idle = is_idle
        self._lock = threading.Lock()
        self._pending: dict[str, frozenset[str]] = {}
        self._running: dict[str, float] = {}
        self._pauses = Pauses()
        self._scheduled = False

    def schedule(self, sessions: Iterable[str], tables: frozenset[str]) -> None:
        """Rerun what these sessions show of these tables, soon. Does nothing once the server has stopped."""
        with self._lock:
            for session in sessions:
                self._pending[session] = self._pending.get(session, frozenset()) | tables
            if self._scheduled or not self._pending:
                return
            self._scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._run_pending)
        except RuntimeError:  # the loop is closed: the server and its sessions are gone
            self._pending.clear()

    def pausing(self, session: str) -> bool:
        """Return whether the session has just rerun and must wait."""
        return self._pauses.pausing(session, time.monotonic())

    @property
    def idle(self) -> bool:
        """Whether nothing is pending or running."""
        return not self._scheduled

    def _run_pending(self) -> None:
        self._drop_finished()
        busy: dict[str, frozenset[str]] = {}
        while len(self._running) < MAX_CONCURRENT and (taken := self._take()) is not None:
            session, tables = taken
            if self.pausing(session):
                busy[session] = tables
                continue
            result = self._try_rerun(session, tables)
            if result is RerunResult.STARTED:
                self._running[session] = time.monotonic()
            elif result is RerunResult.BUSY:
                busy[session] = tables
        self._reschedule(busy)

    def _try_rerun(self, session: str, tables: frozenset[str]) -> RerunResult:
        # One session's fault must not end the reruns of all others. The session tries again after a pause.
        try:
            return self._rerun(session, tables)
        except Exception as error:
            FAULTS.record("rerun", error)
            self._pauses.add(session, time.monotonic(), MAX_PAUSE)
            return RerunResult.BUSY

    def _finished(self, session: str) -> bool:
        try:
            return self._is_idle(session)
        except Exception as error:
            FAULTS.record("rerun", error)
            return True

    def _drop_finished(self) -> None:
        now = time.monotonic()
        self._pauses.forget_quiet(now)
        for session, since in list(self._running.items()):
            if self._finished(session) or now - since > STUCK_AFTER:
                del self._running[session]
                self._pauses.add(session, now, now - since)

    def _take(self) -> tuple[str, frozenset[str]] | None:
        """Remove and return the session that has been pending longest."""
        with self._lock:
            session = next(iter(self._pending), None)
            return None if session is None else (session, self._pending.pop(session))

    def _reschedule(self, busy: dict[str, frozenset[str]]) -> None:
        """Run again while anything is pending or running. Busy sessions go to the end of the queue."""
        with self._lock:
            waiting = bool(self._pending)
            for session, tables in busy.items():
                self._pending[session] = self._pending.get(session, frozenset()) | tables
            self._scheduled = bool(self._pending or self._running)
        if waiting or self._running:
            self._loop.call_later(_RECHECK, self._run_pending)
        elif busy:
            self._loop.call_later(_RECHECK_BUSY, self._run_pending)

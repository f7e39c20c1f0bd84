"""Schedules the reruns of sessions: merged per session, and only a few at a time.

A rerun starts a script thread, and hundreds of them at once would starve the event loop that serves the
browsers. So only a few sessions rerun at the same time; while a session waits for its turn, further changes
join its rerun. Under load sessions therefore rerun less often, for more changes each time, and the queue
never holds more than one entry a session.

After a rerun a session pauses (`rerun_pauses`), which leaves time for its user's own actions.
"""

from __future__ import annotations

import asyncio
import itertools
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
    WAITING = auto()
    """The session waits for the rerun of another one that is shown the same."""
    GONE = auto()
    """No browser is connected. Its next connection starts with a full run."""


Rerun = Callable[[str, frozenset[str]], RerunResult]
"""Reruns the fragments of a session that show these tables. Called on the sessions' event loop."""

MAX_CONCURRENT: Final = 4
"""How many sessions rerun at the same time."""

MAX_LOOKS: Final = 100
"""How many pending sessions are looked at before the loop does something else."""

STUCK_AFTER: Final = 2.0
"""Seconds after which a script that is still running no longer counts as concurrent."""

_RECHECK: Final = 0.005
_RECHECK_BUSY: Final = 0.01


class RerunScheduler:
    """Reruns sessions on their own event loop. `schedule` is for any thread; the callables run on the loop.

    - `rerun` starts the rerun of a session.
    - `is_idle` returns whether no script of a session is running.
    - `push` is asked first, and costs little. Only a session for which it returns `NOTHING` reruns.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rerun: Rerun,
        is_idle: Callable[[str], bool],
        push: Rerun = lambda _session, _tables: RerunResult.NOTHING,
    ) -> None:
        self._loop = loop
        self._push = push
        self._rerun = rerun
        self._is_idle = is_idle
        self._lock = threading.Lock()
        self._pending: dict[str, frozenset[str]] = {}
        self._to_rerun: dict[str, frozenset[str]] = {}
        """Sessions that nothing can be pushed to, and their tables. They wait for their turn to rerun."""
        self._busy: dict[str, frozenset[str]] = {}
        self._running: dict[str, float] = {}
        self._pauses = Pauses()
        self._scheduled = False

    def schedule(self, sessions: Iterable[str], tables: frozenset[str]) -> None:
        """Rerun what these sessions show of these tables, soon. Does nothing once the server has stopped."""
        with self._lock:
            for session in sessions:
                _add(self._pending, session, tables)
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
        for session, tables in self._take(MAX_LOOKS).items():
            result = self._attempt(self._push, session, tables)
            if result is RerunResult.NOTHING:
                _add(self._to_rerun, session, tables)
            elif result is RerunResult.BUSY:
                _add(self._busy, session, tables)
        for session in list(self._to_rerun):
            if len(self._running) >= MAX_CONCURRENT:
                break
            if not self.pausing(session):
                tables = self._to_rerun.pop(session)
                if self._rerun_one(session, tables) is RerunResult.BUSY:
                    _add(self._busy, session, tables)
        self._reschedule()

    def _rerun_one(self, session: str, tables: frozenset[str]) -> RerunResult:
        # Since it was looked at, another session may have rendered what it needs, or have begun to.
        result = self._attempt(self._push, session, tables)
        if result is not RerunResult.NOTHING:
            return result
        result = self._attempt(self._rerun, session, tables)
        if result is RerunResult.STARTED:
            self._running[session] = time.monotonic()
        return result

    def _attempt(self, action: Rerun, session: str, tables: frozenset[str]) -> RerunResult:
        # One session's fault must not end the reruns of all others. The session tries again after a pause.
        try:
            return action(session, tables)
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

    def _take(self, count: int) -> dict[str, frozenset[str]]:
        """Remove and return the sessions that have been pending longest."""
        with self._lock:
            sessions = list(itertools.islice(self._pending, count))
            return {session: self._pending.pop(session) for session in sessions}

    def _reschedule(self) -> None:
        """Run again while anything is pending or running. Busy sessions wait until all others had a look."""
        with self._lock:
            if self._pending:
                pause = 0.0
            else:
                pause = _RECHECK_BUSY if not self._to_rerun and not self._running else _RECHECK
                self._pending, self._busy = self._busy, {}
            self._scheduled = bool(self._pending or self._to_rerun or self._running)
        if self._scheduled:
            self._loop.call_later(pause, self._run_pending)


def _add(queue: dict[str, frozenset[str]], session: str, tables: frozenset[str]) -> None:
    queue[session] = queue.get(session, frozenset()) | tables

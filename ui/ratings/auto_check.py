"""Requests to the edge function `auto-check`, made in the background so that nobody waits for them.

The function stores its findings with the task, and they arrive as every other change does. It may be missing,
broken or slow: then the candidates have no findings beside them, and rating continues.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from queue import SimpleQueue
from typing import Final

from db.auth.accounts import SignedIn
from db.errors import DatabaseError, SignedOutError
from db.ratings import auto_check
from livetables.background import start_daemon
from livetables.faults import FAULTS

_REPEAT_AFTER: Final = 600.0
"""Seconds before a check is requested again for a task that still has no findings."""
_REMEMBERED: Final = 10_000
_PAUSE_AFTER: Final = 3
"""This many failures in a row drop a person's queued requests and refuse theirs for `_REPEAT_AFTER` seconds.
Those of others go on: what fails may be the person's own tasks."""
_PLACE: Final = "auto-check"

_log: Final = logging.getLogger(__name__)


class Checker:
    """Requests checks one after the other, each task's at most once in a while. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested_at: OrderedDict[str, float] = OrderedDict()
        self._failures: dict[str, int] = {}
        self._paused_until: OrderedDict[str, float] = OrderedDict()
        self._queue: SimpleQueue[tuple[SignedIn, str]] = SimpleQueue()
        self._pending = 0
        self._working = False

    def request(self, me: SignedIn, task_ids: Iterable[str], *, force: bool = False) -> None:
        """Queue checks of tasks, and return at once. `force` repeats a check that was requested lately."""
        for task_id in task_ids:
            if self._is_due(me.user_id, task_id, force=force):
                with self._lock:
                    self._pending += 1
                self._queue.put((me, task_id))
        with self._lock:
            if self._pending and not self._working:
                # One thread: a check takes milliseconds, and a function that hangs must not take more.
                # A daemon, so that it does not keep the server from ending.
                self._working = start_daemon(_PLACE, self._work) is not None

    def _is_due(self, user_id: str, task_id: str, *, force: bool) -> bool:
        now = time.monotonic()
        with self._lock:
            if force:
                self._paused_until.pop(user_id, None)
            before = self._requested_at.get(task_id)
            recent = before is not None and now - before < _REPEAT_AFTER
            if now < self._paused_until.get(user_id, 0.0) or (recent and not force):
                return False
            self._requested_at[task_id] = now
            self._requested_at.move_to_end(task_id)
            if len(self._requested_at) > _REMEMBERED:
                self._requested_at.popitem(last=False)
            return True

    @property
    def idle(self) -> bool:
        """Whether no request is queued or under way."""
        with self._lock:
            return self._pending == 0

    def _work(self) -> None:
        while self._has_work():
            with FAULTS.contained(_PLACE):
                self._check(*self._queue.get())
            with self._lock:
                self._pending -= 1

    def _has_work(self) -> bool:
        """Return whether a request waits; without one the thread ends."""
        with self._lock:
            self._working = self._pending > 0
            return self._working

    def _check(self, me: SignedIn, task_id: str) -> None:
        with self._lock:
            if time.monotonic() < self._paused_until.get(me.user_id, 0.0):
                return
        try:
            auto_check.auto_check(me, task_id)
        except auto_check.NotCheckableError:
            _log.info("Task %s is too long to be checked.", task_id)
        except SignedOutError:
            # Nobody asked the function, so it did not fail. Somebody else may ask for this task.
            with self._lock:
                self._requested_at.pop(task_id, None)
        except DatabaseError as error:
            _log.info("Task %s is not checked: %s", task_id, error)
            self._count_failure(me.user_id)
        else:
            with self._lock:
                self._failures.pop(me.user_id, None)

    def _count_failure(self, user_id: str) -> None:
        with self._lock:
            failures = self._failures.pop(user_id, 0) + 1
            if failures < _PAUSE_AFTER:
                self._failures[user_id] = failures
                return
            self._paused_until[user_id] = time.monotonic() + _REPEAT_AFTER
            self._paused_until.move_to_end(user_id)
            if len(self._paused_until) > _REMEMBERED:
                self._paused_until.popitem(last=False)


CHECKER: Final = Checker()
"""The checker of this process."""

"""Having candidates checked in the background: nobody who rates or adds tasks ever waits for it.

The edge function `auto-check` keeps what it finds with the task, where it arrives as every other change does.
It may be missing, broken or slow: then there is nothing beside the candidates, and all else goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from queue import SimpleQueue
from typing import Final

from db import functions
from db.auth import SignedIn
from db.errors import DatabaseError

_AGAIN: Final = 600.0
"""Seconds before a task whose check failed is asked for once more."""
_REMEMBERED: Final = 10_000
_PAUSE_AFTER: Final = 3
"""So many failures in a row, and the rest of what waits is left for another time."""

log = logging.getLogger(__name__)


class Checker:
    """Asks for checks one after the other, each task at most once in a while. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, float] = OrderedDict()
        self._failures = 0
        self._quiet_until = 0.0
        self._waiting: SimpleQueue[tuple[SignedIn, str]] = SimpleQueue()
        self._pending = 0
        self._worker: threading.Thread | None = None

    def ask(self, me: SignedIn, task_ids: Iterable[str], *, again: bool = False) -> None:
        """Have these tasks checked some time; returns at once. `again` asks whatever came of it before."""
        for task_id in task_ids:
            if self._due(task_id, again=again):
                with self._lock:
                    self._pending += 1
                self._waiting.put((me, task_id))
        with self._lock:
            if self._worker is None:
                # One: a check takes milliseconds, and a function that hangs must not take more than a thread.
                # A daemon: nobody waits for it when the server ends.
                self._worker = threading.Thread(target=self._work, name="auto-check", daemon=True)
                self._worker.start()

    def _due(self, task_id: str, *, again: bool) -> bool:
        now = time.monotonic()
        with self._lock:
            if again:
                self._quiet_until = 0.0
            asked = self._asked.get(task_id)
            if now < self._quiet_until or (not again and asked is not None and now - asked < _AGAIN):
                return False
            self._asked[task_id] = now
            self._asked.move_to_end(task_id)
            if len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
            return True

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being asked for."""
        with self._lock:
            return self._pending == 0

    def _work(self) -> None:
        while True:
            self._check(*self._waiting.get())
            with self._lock:
                self._pending -= 1

    def _check(self, me: SignedIn, task_id: str) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            functions.auto_check(me, task_id)
        except functions.NotCheckable:
            log.info("Task %s is too long to be checked.", task_id)
        except DatabaseError as error:
            log.info("Task %s is not checked: %s", task_id, error)
            self._failed()
        else:
            self._failures = 0

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= _PAUSE_AFTER:
            self._quiet_until = time.monotonic() + _AGAIN
            self._failures = 0


CHECKER: Final = Checker()
"""The process's one."""

"""The one place of the interface that starts threads. Whatever runs here survives its own faults.

A fault is logged once for each kind, counted, and shown on the page Diagnostics. When a thread cannot be
started, because the machine has none left, no work is lost: it is done when the next thread starts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from livetables.faults import FAULTS

P = ParamSpec("P")
T = TypeVar("T")

Later = Callable[[float, Callable[[], object]], object]
"""Calls a function after so many seconds, without a new thread."""

_START_AGAIN: Final = 1.0
"""Seconds until threads are started again after none could be."""

_log: Final = logging.getLogger(__name__)


class Threads:
    """A pool of threads that are started when there is work for them.

    - `place` is the name of the pool's faults on the page Diagnostics.
    - `most` is the number of threads.
    - `later` starts threads again when none could be started. Without it the next piece of work does.

    Work that waits is done before the process ends.
    """

    def __init__(self, place: str, most: int, later: Later | None = None) -> None:
        self._place = place
        self._later = later
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=place)

    def start(self, work: Callable[[], object]) -> None:
        """Do the work in a thread. Its exception is recorded."""
        self._start(lambda: self._contained(work))

    def submit(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        """Do the work in a thread, and return the future of what it returns or raises."""
        answer: Future[T] = Future()
        self._start(lambda: _answer(answer, lambda: work(*arguments, **named)))
        return answer

    def close(self) -> None:
        """Start nothing any more, and drop what waits. Does not wait for what runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _contained(self, work: Callable[[], object]) -> None:
        with FAULTS.contained(self._place):
            work()

    def _start(self, work: Callable[[], object]) -> None:
        try:
            self._pool.submit(work)
        except RuntimeError as error:
            if "shutdown" in str(error):
                _log.info("%s: the process ends", self._place)
                return
            # No thread could be started. The pool keeps the work and does it in the next thread that starts.
            FAULTS.record(self._place, error)
            if self._later is not None:
                self._later(_START_AGAIN, lambda: self._start(lambda: None))


def _answer(answer: Future[T], work: Callable[[], T]) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(work())
    except BaseException as error:
        answer.set_exception(error)

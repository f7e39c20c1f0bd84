"""The one place of `db`, `publish` and `ratings` that starts threads and tasks, and notes their faults.

A loop that serves many must not end because of one person, row or event. So the work on one item runs inside
`contained`, which passes a fault to the process' recorder. In the app that is the engine's, which counts
faults for the page Diagnostics; other programs find the first fault of each kind in their log.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["contained", "log_first", "record_fault", "record_faults_with", "start_daemon", "start_task"]

_log: Final = logging.getLogger(__name__)

Recorder = Callable[[str, BaseException], None]
"""Takes note of a fault: the place, such as `"agents"`, and the exception. Any thread may call it."""


_logged: Final[set[tuple[str, type[BaseException]]]] = set()


def log_first(place: str, error: BaseException) -> None:
    """Log the first fault of each type with traceback: a loop that goes on would fill the log."""
    if (kind := (place, type(error))) not in _logged:
        _logged.add(kind)
        _log.error("A fault in %s: %r", place, error, exc_info=error)


_recorder: Recorder = log_first


def record_faults_with(recorder: Recorder) -> None:
    """Pass all faults of this process to a recorder from now on; at first it is `log_first`."""
    global _recorder
    _recorder = recorder


def record_fault(place: str, error: BaseException) -> None:
    """Take note of a fault of `place`, such as `"agents"`."""
    _recorder(place, error)


@contextmanager
def contained(place: str) -> Iterator[None]:
    """Record any `Exception` of the block instead of raising it."""
    try:
        yield
    except Exception as error:
        record_fault(place, error)


def start_daemon(place: str, work: Callable[[], object]) -> threading.Thread | None:
    """Do the work in a thread that does not keep the program from ending; None if none can be started now.

    `place` is the thread's name, and that of its faults.
    """

    def run() -> None:
        with contained(place):
            work()

    thread = threading.Thread(target=run, name=place, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        if "shutdown" not in str(error):  # the machine has no threads left
            record_fault(place, error)
        return None
    return thread


def start_task(work: Coroutine[object, object, None], place: str) -> asyncio.Task[None]:
    """Start a task on the running loop. Whoever starts it keeps it; `place` is its name."""
    return asyncio.create_task(work, name=place)

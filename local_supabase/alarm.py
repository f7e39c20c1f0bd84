"""Sleeping until something happens: a signal, the end of a child, or the end of the pause."""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Alarm:
    """Wakes the main thread at once when a signal arrives. To be made and used on the main thread only."""

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._stop)
        # Under nohup it is ignored, and stays so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._stop)
        # A handler of its own makes the interpreter write to the wake-up descriptor.
        signal.signal(signal.SIGCHLD, _nothing)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> None:
        """Return after the pause, or sooner when a signal arrived."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        if ready:
            self._reader.recv(4096)

    def _stop(self, *_: object) -> None:
        self._on_stop()


def _nothing(*_: object) -> None:
    """Do nothing, but as a handler."""

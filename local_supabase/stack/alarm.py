"""Waits for a signal, the end of a child process or a timeout, whichever comes first."""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Alarm:
    """Ends a wait at once when a signal arrives. Only the main thread may create and use it.

    Arguments:
        on_stop: called in the signal handler of SIGINT, SIGTERM and SIGHUP.
    """

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._stop)
        # nohup sets SIGHUP to be ignored; keep it so.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._stop)
        # Python writes to the wake-up descriptor only for signals that have a handler.
        signal.signal(signal.SIGCHLD, _ignore)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> None:
        """Return after this many seconds, or at once when a signal arrives."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        if ready:
            self._reader.recv(4096)

    def _stop(self, *_: object) -> None:
        self._on_stop()


def _ignore(*_: object) -> None:
    """Do nothing. Unlike SIG_IGN, it is a handler."""

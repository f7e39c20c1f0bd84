"""Asks a process again and again whether it still answers, without ever waiting for it."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress

from local_supabase.handover import give
from local_supabase.service_health import LIVE_PATH
from local_supabase.settings import HOST

SECONDS_VARIABLE = "LOCAL_SUPABASE_HEALTH_SECONDS"
_SILENT_SECONDS = 10.0
_START_SECONDS = 60.0
_EVERY_SECONDS = 2.0
# Time in which this process itself was suspended is not the other's silence.
_LONGEST_STEP = 1.0
_CONNECT_SECONDS = 0.2
_LIVE = f"GET {LIVE_PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
# Postgres answers one byte, before it asks who is there, once its postmaster has started a process for us.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)

Ask = Callable[[], socket.socket]


class Probe:
    """Tells whether a process has been silent for too long. The caller asks every half second or so.

    Arguments:
        ask: connects to the process and sends a question whose answer begins at once.
        silent_seconds: for how long the process may leave a question open.
        start_seconds: for how long a new process may leave its first question open.
    """

    def __init__(
        self, ask: Ask, silent_seconds: float = _SILENT_SECONDS, start_seconds: float = _START_SECONDS
    ) -> None:
        self._ask = ask
        self._silent_seconds = silent_seconds
        self._start_seconds = start_seconds
        self._question: socket.socket | None = None
        self._silent = 0.0
        self._allowed = start_seconds
        self._before: float | None = None
        self._next_at = 0.0

    def reset(self) -> None:
        """Begin anew, because a new process has been started."""
        self.close()
        self._silent = 0.0
        self._allowed = self._start_seconds
        self._next_at = 0.0

    def close(self) -> None:
        """Drop the open question."""
        if self._question is not None:
            self._question.close()
        self._question = None

    def is_silent(self, now: float) -> bool:
        """Look for the answer, ask again if it is time, and return whether the answer is overdue.

        Arguments:
            now: seconds of a monotonic clock.
        """
        step = 0.0 if self._before is None else min(now - self._before, _LONGEST_STEP)
        self._before = now
        if self._question is not None:
            self._silent += step
            self._look(self._question, now)
        if self._question is None and now >= self._next_at:
            # While nobody even accepts the question, this counts as one that stays open.
            with suppress(OSError):
                self._question = self._ask()
            if self._question is None:
                self._silent += max(step, _CONNECT_SECONDS)
        return self._silent > self._allowed

    def _look(self, question: socket.socket, now: float) -> None:
        try:
            answer = question.recv(1)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        self.close()
        if answer:
            self._silent = 0.0
            self._allowed = self._silent_seconds
            self._next_at = now + _EVERY_SECONDS


def ask_gateway(port: int) -> socket.socket:
    """Ask the gateway. Raises OSError if it cannot be reached."""
    return _ask_port(port, _LIVE)


def ask_postgres(port: int) -> socket.socket:
    """Ask Postgres. Raises OSError if it cannot be reached."""
    return _ask_port(port, _SSL_REQUEST)


def ask_realtime(giving: socket.socket) -> socket.socket:
    """Ask Realtime, through the channel that leads to it. Raises OSError if the channel is full."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            give(giving, theirs.fileno(), _LIVE)
        except BaseException:
            ours.close()
            raise
    ours.setblocking(False)
    return ours


def silent_seconds(environ: Mapping[str, str] = os.environ) -> float:
    """Return for how long a process may be silent: `LOCAL_SUPABASE_HEALTH_SECONDS`, or 10."""
    try:
        return float(environ.get(SECONDS_VARIABLE, _SILENT_SECONDS))
    except ValueError:
        return _SILENT_SECONDS


def _ask_port(port: int, question: bytes) -> socket.socket:
    connection = socket.create_connection((HOST, port), timeout=_CONNECT_SECONDS)
    try:
        connection.setblocking(False)
        connection.send(question)
    except BaseException:
        connection.close()
        raise
    return connection

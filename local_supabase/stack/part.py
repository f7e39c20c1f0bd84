"""One process of the stack as the supervisor sees it: it ends, or it falls silent, and is started again."""

from __future__ import annotations

from typing import Protocol

from local_supabase.backoff import Backoff, RestartGate
from local_supabase.stack.probe import Probe

_FIRST_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 10.0


class Restartable(Protocol):
    """A process that can be started again."""

    def has_ended(self) -> bool:
        """Whether it was started and has ended."""

    def kill(self) -> None:
        """End it at once, even if it is suspended."""

    def restart(self) -> None:
        """Start it again after it ended."""


class Part:
    """Decides when a process has to be started again.

    Arguments:
        name: what it is called in logs.
        process: the process.
        probe: asks whether it still answers.
    """

    def __init__(self, name: str, process: Restartable, probe: Probe) -> None:
        self.name = name
        self._process = process
        self._probe = probe
        self._gate = RestartGate(Backoff(_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS))

    def fault(self, now: float) -> str:
        """Return why the process has to be started again now; empty if it has not, or not yet.

        Arguments:
            now: seconds of a monotonic clock.
        """
        if self._process.has_ended():
            return "ended" if self._gate.try_pass(now) else ""
        return "does not answer" if self._probe.is_silent(now) and self._gate.try_pass(now) else ""

    def restart(self) -> None:
        """Start the process again, after ending the old one if there still is one.

        Raises:
            LocalSupabaseError, OSError: it cannot be started.
        """
        if not self._process.has_ended():
            self._process.kill()
        self._process.restart()
        self._probe.reset()

    def close(self) -> None:
        """Ask it nothing more."""
        self._probe.close()

"""How long a session pauses between two reruns: briefly at first, longer while it never gets quiet.

A browser cannot say that it falls behind. If every change reran a page at once, a slow device would get
updates faster than it can draw them, and its user's clicks would wait behind all of them. So a single
change shows at once, and a steady stream of changes shows in steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIN_PAUSE: Final = 0.05
"""Seconds between the end of a session's rerun and the next one, at least."""

MAX_PAUSE: Final = 0.5
"""Seconds between the end of a session's rerun and the next one, at most."""

QUIET: Final = 0.5
"""Seconds after its pause in which a session must not rerun to begin with the shortest pause again."""

_GROWTH: Final = 1.5


@dataclass(frozen=True, slots=True)
class _Pause:
    length: float
    until: float


class Pauses:
    """The pauses of all sessions. Times are in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._pauses: dict[str, _Pause] = {}

    def add(self, session: str, now: float, took: float) -> None:
        """Pause a session whose rerun ends now and took this long."""
        last = self._pauses.get(session)
        longer = last.length * _GROWTH if last is not None else MIN_PAUSE
        length = min(max(MIN_PAUSE, took, longer), MAX_PAUSE)
        self._pauses[session] = _Pause(length, now + length)

    def pausing(self, session: str, now: float) -> bool:
        """Return whether the session must wait."""
        pause = self._pauses.get(session)
        return pause is not None and pause.until > now

    def forget_quiet(self, now: float) -> None:
        """Forget the sessions that have been quiet for long enough."""
        self._pauses = {each: pause for each, pause in self._pauses.items() if pause.until + QUIET > now}

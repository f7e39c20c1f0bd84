"""The functions an engine calls when sessions have something new to show."""

from __future__ import annotations

from collections.abc import Callable

from livetables.faults import FAULTS

Listener = Callable[[frozenset[str], frozenset[str]], None]
"""Called on any thread with the ids of sessions and the names of tables that look different there. Must not
block."""


class Listeners:
    """The listeners of one engine. An error in one affects neither the engine nor the others."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> Callable[[], None]:
        """Add a listener. Return a function that removes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def notify(self, sessions: frozenset[str], tables: frozenset[str]) -> None:
        """Call every listener, unless there are no sessions to name."""
        for listener in tuple(self._listeners) if sessions else ():
            with FAULTS.contained("listeners"):
                listener(sessions, tables)

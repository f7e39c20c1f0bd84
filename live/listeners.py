"""Who is told that sessions show something else now."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

_log: Final = logging.getLogger(__name__)

Listener = Callable[[frozenset[str], frozenset[str]], None]
"""Is told, on any thread, which sessions show something else now, and of which tables. Must not block."""


class Listeners:
    """The listeners of one engine. They are not the engine's own, so none can harm it or the others."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> Callable[[], None]:
        """Tell it from now on; return how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, sessions: frozenset[str], tables: frozenset[str]) -> None:
        """Tell all of them of these sessions, if there are any."""
        for listener in tuple(self._listeners) if sessions else ():
            try:
                listener(sessions, tables)
            except Exception:
                _log.exception("A listener failed")

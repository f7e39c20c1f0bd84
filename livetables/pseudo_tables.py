"""What fragments can show besides tables: the connection, who is here, and items of one user."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Final

from livetables.presence.model import PRESENCE

STATUS: Final = "status"
"""The name that stands among table names for how the engine is connected."""


class PseudoTables:
    """Revisions of names that stand among table names and have no rows. Methods are for any thread."""

    def __init__(self, presence_revision: Callable[[], int]) -> None:
        self._presence_revision = presence_revision
        self._lock = threading.Lock()
        self._status_revision = 0
        self._items: dict[tuple[str, str], int] = {}

    def version(self, name: str, user_id: str | None) -> Hashable:
        """Return a value that changes with `STATUS`, `PRESENCE` or an item of this user.

        It is equal for two users only if both see the same: everybody sees who is here, and nothing is in an
        item that was never set, but each has a connection of their own.
        """
        if name == PRESENCE:
            return self._presence_revision()
        if name == STATUS:
            return user_id, self._status_revision
        revision = self._items.get((name, user_id or ""), 0)
        return (user_id, revision) if revision else 0

    def status_changed(self) -> None:
        """Give `STATUS` another revision."""
        with self._lock:
            self._status_revision += 1

    def set_item(self, name: str, user_id: str, revision: int) -> None:
        """Set the revision of an item of this user; 0 forgets it."""
        with self._lock:
            if revision:
                self._items[name, user_id] = revision
            else:
                self._items.pop((name, user_id), None)

"""What fragments can show besides tables: the connection, who is here, and items of one user."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from livetables.presence.model import PRESENCE

STATUS: Final = "status"
"""The name that stands among table names for how the engine is connected."""


@dataclass(slots=True, eq=False)
class ItemWatch:
    """Whether one user had an item when the watch began, and whether one has changed since."""

    user_id: str
    had_items: bool
    changed: bool = False


class PseudoTables:
    """Revisions of names that stand among table names and have no rows. Methods are for any thread."""

    def __init__(self, presence_revision: Callable[[], int]) -> None:
        self._presence_revision = presence_revision
        self._lock = threading.Lock()
        self._status_revision = 0
        self._items: dict[str, dict[str, int]] = {}
        self._watches: set[ItemWatch] = set()

    def version(self, name: str, user_id: str | None) -> Hashable:
        """Return a value that changes with `STATUS`, `PRESENCE` or an item of this user.

        It is equal for two users only if both see the same: everybody sees who is here, and nothing is in an
        item that was never set, but each has a connection of their own.
        """
        if name == PRESENCE:
            return self._presence_revision()
        if name == STATUS:
            return user_id, self._status_revision
        revision = self._items.get(user_id or "", {}).get(name, 0)
        return (user_id, revision) if revision else 0

    def status_changed(self) -> None:
        """Give `STATUS` another revision."""
        with self._lock:
            self._status_revision += 1

    def set_item(self, name: str, user_id: str, revision: int) -> None:
        """Set the revision of an item of this user; 0 forgets it."""
        with self._lock:
            # Readers take no lock, so the items are replaced in one step.
            items = self._items.get(user_id, {}) | {name: revision}
            if kept := {each: number for each, number in items.items() if number}:
                self._items[user_id] = kept
            else:
                self._items.pop(user_id, None)
            for watch in self._watches:
                watch.changed = watch.changed or watch.user_id == user_id

    def has_items(self, user_id: str | None) -> bool:
        """Return whether an item of this user is not in its usual state."""
        return (user_id or "") in self._items

    @contextmanager
    def watch(self, user_id: str | None) -> Iterator[ItemWatch]:
        """Watch this user's items in the block."""
        with self._lock:
            watch = ItemWatch(user_id or "", had_items=self.has_items(user_id))
            self._watches.add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._watches.discard(watch)

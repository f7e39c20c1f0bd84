"""What fragments can show besides tables: the connection, who is here, and items of one owner.

The owner of an item is a user, or the session of a visitor. The revisions of the connection belong to the
audiences (`Audience.status_revision`).
"""

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
    """Whether one owner had an item when the watch began, and whether one has changed since."""

    owner: str
    had_items: bool
    changed: bool = False


class PseudoTables:
    """Revisions of names that stand among table names and have no rows. Methods are for any thread."""

    def __init__(self, presence_revision: Callable[[], int]) -> None:
        self._presence_revision = presence_revision
        self._lock = threading.Lock()
        self._items: dict[str, dict[str, int]] = {}
        self._watches: set[ItemWatch] = set()

    def version(self, name: str, owner: str) -> Hashable:
        """Return a value that changes with `PRESENCE` or an item of this owner.

        It is equal for two sessions only if both see the same: everybody sees who is here, and nothing is in
        an item that was never set.
        """
        if name == PRESENCE:
            return self._presence_revision()
        revision = self._items.get(owner, {}).get(name, 0)
        return (owner, revision) if revision else 0

    def set_item(self, name: str, owner: str, revision: int) -> None:
        """Set the revision of an item of this owner; 0 forgets it."""
        with self._lock:
            # Readers take no lock, so the items are replaced in one step.
            items = self._items.get(owner, {}) | {name: revision}
            if kept := {each: number for each, number in items.items() if number}:
                self._items[owner] = kept
            else:
                self._items.pop(owner, None)
            for watch in self._watches:
                watch.changed = watch.changed or watch.owner == owner

    def has_items(self, owner: str) -> bool:
        """Return whether an item of this owner is not in its usual state."""
        return owner in self._items

    @contextmanager
    def watch(self, owner: str) -> Iterator[ItemWatch]:
        """Watch this owner's items in the block."""
        with self._lock:
            watch = ItemWatch(owner, had_items=self.has_items(owner))
            self._watches.add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._watches.discard(watch)

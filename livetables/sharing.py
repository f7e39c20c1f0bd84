"""Sharing renderings: which sessions may be sent what another session's run of a fragment has shown.

A fragment that is declared `shared` shows the same in every session with the same tables and the same values
of what it varies by. Such sessions form a group. When a table changes, one session of the group, its leader,
reruns the fragment. The others wait for it, and are then sent the elements that differ.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from livetables.rendering import Rendering
from livetables.tables.part import Dependency

LEADER_TIMEOUT: Final = 0.5
"""Seconds for which a group waits for the rerun of its session. Then another one reruns."""

_MOST_RENDERINGS: Final = 512
_KEPT_FOR: Final = 60.0
"""Seconds for which a rendering is kept for sessions that have not been sent it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A fragment, what it varies by, and the version of each of its tables.

    The versions name the audience of a table too, so rows of one person never reach another's tab.
    """

    fragment: str
    variant: Hashable
    versions: tuple[tuple[Dependency, Hashable], ...]


class Renderings:
    """The newest renderings of shared fragments, and who waits for one. Methods are for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._renderings: OrderedDict[Group, tuple[float, Rendering | None]] = OrderedDict()
        self._leaders: dict[Group, str] = {}
        self._waiting: dict[Group, set[str]] = {}

    def find(self, group: Group) -> Rendering | None:
        """Return the group's rendering, None if there is none or it cannot be sent."""
        with self._lock:
            return self._renderings.get(group, (0.0, None))[1]

    def kept(self, group: Group, rendering: Rendering | None) -> Rendering | None:
        """Return the group's rendering if this one looks the same, so that only one stays in memory."""
        known = self.find(group)
        same = known is not None and rendering is not None and known.looks_like(rendering)
        return known if same else rendering

    def wait(self, group: Group, session_id: str) -> bool:
        """Let the session wait for the rerun of its group; return False if no other session is rerunning."""
        with self._lock:
            if group in self._renderings or self._leaders.get(group, session_id) == session_id:
                return False
            self._waiting.setdefault(group, set()).add(session_id)
            return True

    def lead(self, group: Group, session_id: str) -> None:
        """Note that the session is rerunning the fragment for its group."""
        with self._lock:
            if group not in self._renderings:
                self._leaders[group] = session_id

    def put(
        self, group: Group, rendering: Rendering | None, session_id: str, *, private: bool = False
    ) -> frozenset[str]:
        """Keep what the session has rendered; None if it cannot be sent. Return the sessions that waited.

        What is `private` is not kept, because only this session may be shown it.
        """
        with self._lock:
            if private:
                return self._end(self._led(group.fragment, session_id))
            now = time.monotonic()
            self._renderings[group] = now, rendering
            self._renderings.move_to_end(group)
            while len(self._renderings) > _MOST_RENDERINGS or self._oldest() < now - _KEPT_FOR:
                self._renderings.popitem(last=False)
            # A change during the rerun has made it the rendering of another group than the one it led.
            return self._end([group, *self._led(group.fragment, session_id)])

    def give_up(self, group: Group, session_id: str) -> frozenset[str]:
        """Wait no longer for the rerun of this session. Return the sessions that have waited."""
        with self._lock:
            return self._end([group]) if self._leaders.get(group) == session_id else frozenset()

    def _oldest(self) -> float:
        return next(iter(self._renderings.values()))[0]

    def _led(self, fragment: str, session_id: str) -> list[Group]:
        return [
            group
            for group, leader in self._leaders.items()
            if leader == session_id and group.fragment == fragment
        ]

    def _end(self, groups: list[Group]) -> frozenset[str]:
        waited: set[str] = set()
        for group in groups:
            self._leaders.pop(group, None)
            waited |= self._waiting.pop(group, set())
        return frozenset(waited)

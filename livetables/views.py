"""Views: which filtered tables are open, and which session has chosen which.

A view is an audience of its own over one table. All sessions of one user (of everybody, for a public table)
that have chosen the same filters share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from livetables.audiences import Audience
from livetables.tables.filters import Filter


@dataclass(frozen=True, slots=True)
class Choice:
    """A table with filters, as one user may see it; `user_id` is None for a public table."""

    user_id: str | None
    table: str
    filters: tuple[Filter, ...]


class ViewOpener(Protocol):
    """Opens and closes the audiences of views."""

    def open_view(self, choice: Choice) -> Audience:
        """Create the audience of a choice and start its feed."""

    def close_view(self, view: Audience) -> None:
        """Close a view's feed."""

    def close_view_later(self, choice: Choice) -> None:
        """Call `Views.close_unused` after a while."""


class Views:
    """The open views, and the choices of sessions. Not thread-safe: the caller holds a lock."""

    def __init__(self, opener: ViewOpener) -> None:
        self._opener = opener
        self._open: Final[dict[Choice, Audience]] = {}
        self._choices: Final[dict[str, dict[str, Choice]]] = {}

    def choose(self, session_id: str, table: str, choice: Choice | None) -> bool:
        """Show the session a view of the table, or with None the whole table. Return whether that is new."""
        before = self._choices.get(session_id, {}).get(table)
        if before == choice:
            return False
        if choice is not None:
            if choice not in self._open:
                self._open[choice] = self._opener.open_view(choice)
            self._choices.setdefault(session_id, {})[table] = choice
        if before is not None:
            self._release(session_id, before)
        return True

    def remove_session(self, session_id: str) -> None:
        """Forget what the session has chosen."""
        for choice in list(self._choices.get(session_id, {}).values()):
            self._release(session_id, choice)
        self._choices.pop(session_id, None)

    def _release(self, session_id: str, choice: Choice) -> None:
        chosen = self._choices[session_id]
        if chosen.get(choice.table) == choice:
            del chosen[choice.table]
        # Close the views left before this one at once, so that trying many filters leaves only one open.
        for other in [other for other in self._open if _same_table(other, choice) and other != choice]:
            self.close_unused(other)
        if not self._is_used(choice):
            self._opener.close_view_later(choice)

    def close_unused(self, choice: Choice) -> None:
        """Close the view if no session has chosen it."""
        if choice in self._open and not self._is_used(choice):
            self._opener.close_view(self._open.pop(choice))

    def close_all_of(self, user_id: str) -> None:
        """Close the unused views of a user who has left."""
        for choice in [choice for choice in self._open if choice.user_id == user_id]:
            self.close_unused(choice)

    def of_session(self, session_id: str | None, table: str | None = None) -> list[Audience]:
        """Return the views that the session has chosen, of this table or of all."""
        chosen = self._choices.get(session_id or "", {})
        return [self._open[choice] for choice in chosen.values() if table in (None, choice.table)]

    def of_tables(self, user_id: str | None, tables: Iterable[str]) -> list[tuple[str, Audience]]:
        """Return a user's views of these tables, each with the name of its table."""
        wanted = set(tables)
        return [
            (choice.table, view)
            for choice, view in self._open.items()
            if choice.user_id == user_id and choice.table in wanted
        ]

    def sessions_of(self, view: Audience) -> frozenset[str]:
        """Return the ids of the sessions that have chosen a view."""
        return frozenset(
            session_id
            for session_id, chosen in self._choices.items()
            for choice in chosen.values()
            if self._open.get(choice) is view
        )

    @property
    def open(self) -> Mapping[Choice, Audience]:
        """A copy of all open views."""
        return dict(self._open)

    def _is_used(self, choice: Choice) -> bool:
        return any(chosen.get(choice.table) == choice for chosen in self._choices.values())


def _same_table(one: Choice, other: Choice) -> bool:
    return (one.user_id, one.table) == (other.user_id, other.table)

"""Views: which filtered tables are open, and which session has chosen which.

A view is an audience of its own over one table, shared by all sessions of one user (of everybody, for a
public table) that have chosen the same filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from live.audiences import Audience
from live.filters import Filter


@dataclass(frozen=True, slots=True)
class Choice:
    """A table with filters, as one user (None: everybody) may see it."""

    user_id: str | None
    table: str
    filters: tuple[Filter, ...]


class Views:
    """The open views. Not thread-safe: the engine guards it.

    `start` opens the view of a choice. `stop` closes one that nobody has chosen, `soon` after a while.
    """

    def __init__(
        self,
        start: Callable[[Choice], Audience],
        stop: Callable[[Audience], None],
        soon: Callable[[Choice], None],
    ) -> None:
        self._start, self._stop, self._soon = start, stop, soon
        self._open: Final[dict[Choice, Audience]] = {}
        self._chosen: Final[dict[str, dict[str, Choice]]] = {}

    def choose(self, session_id: str, table: str, choice: Choice | None) -> bool:
        """Have the session see a view of the table, or with None the table; return whether that is new."""
        before = self._chosen.get(session_id, {}).get(table)
        if before == choice:
            return False
        if choice is not None:
            if choice not in self._open:
                self._open[choice] = self._start(choice)
            self._chosen.setdefault(session_id, {})[table] = choice
        if before is not None:
            self._give_up(session_id, before)
        return True

    def leave(self, session_id: str) -> None:
        """Forget what the session has chosen."""
        for choice in list(self._chosen.get(session_id, {}).values()):
            self._give_up(session_id, choice)
        self._chosen.pop(session_id, None)

    def _give_up(self, session_id: str, choice: Choice) -> None:
        mine = self._chosen[session_id]
        if mine.get(choice.table) == choice:
            del mine[choice.table]
        # Whoever tries one filter after another leaves one view behind, not all of them.
        for other in [other for other in self._open if _of_one_table(other, choice) and other != choice]:
            self.close_unused(other)
        if not self._is_used(choice):
            self._soon(choice)

    def close_unused(self, choice: Choice) -> None:
        """Close the view if nobody has chosen it."""
        if choice in self._open and not self._is_used(choice):
            self._stop(self._open.pop(choice))

    def close_all_of(self, user_id: str) -> None:
        """Close the views of a user who has left."""
        for choice in [choice for choice in self._open if choice.user_id == user_id]:
            self.close_unused(choice)

    def of_session(self, session_id: str | None, table: str | None = None) -> list[Audience]:
        """Return the views that the session has chosen, of this table or of all."""
        mine = self._chosen.get(session_id or "", {})
        return [self._open[choice] for choice in mine.values() if table in (None, choice.table)]

    def of_table(self, user_id: str | None, tables: Iterable[str]) -> list[tuple[str, Audience]]:
        """Return a user's views of these tables, each with its table."""
        wanted = set(tables)
        return [
            (choice.table, view)
            for choice, view in self._open.items()
            if choice.user_id == user_id and choice.table in wanted
        ]

    def of_user(self, user_id: str) -> list[Audience]:
        """Return a user's views of what is theirs."""
        return [view for choice, view in self._open.items() if choice.user_id == user_id]

    def sessions_of(self, view: Audience) -> frozenset[str]:
        """Return the sessions that have chosen a view."""
        return frozenset(
            session_id
            for session_id, mine in self._chosen.items()
            for choice in mine.values()
            if self._open.get(choice) is view
        )

    @property
    def open(self) -> dict[Choice, Audience]:
        """Every open view."""
        return dict(self._open)

    def _is_used(self, choice: Choice) -> bool:
        return any(mine.get(choice.table) == choice for mine in self._chosen.values())


def _of_one_table(one: Choice, other: Choice) -> bool:
    return (one.user_id, one.table) == (other.user_id, other.table)

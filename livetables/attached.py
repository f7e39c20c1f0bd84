"""One session of an engine: what it is shown, and what it has chosen."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from livetables.audiences import Audience, status_of, tables_of
from livetables.feed.status import FeedStatus
from livetables.feed_runner import FeedRunner
from livetables.pseudo_tables import STATUS, ItemWatch, PseudoTables
from livetables.registry import Registry
from livetables.setup_watch import SetupWatch
from livetables.tables.filters import Filter
from livetables.tables.part import Dependency, Part
from livetables.tables.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AttachedSession:
    """A handle for one session, returned by `Engine.attach`. Methods may be called on any thread.

    The handle is for one user: after another one has signed in, use the handle that attaching returns then.
    """

    id: str
    user_id: str | None
    _registry: Registry
    _runner: FeedRunner
    _pseudo_tables: PseudoTables
    _setup: SetupWatch

    @property
    def owner(self) -> str:
        """Whose items that are in no table the session shows: its user's, or its own if it is a visitor's."""
        return self.user_id or self.id

    def tables(self) -> Mapping[str, Snapshot[Any]]:
        """Return all tables the session is shown. A table that is not loaded yet is empty.

        A table of which the session has chosen a view is that view.
        """
        return tables_of(self._audiences())

    def is_loading(self, table: str) -> bool:
        """Return whether the table, or the chosen view of it, has not got its first rows yet.

        Raises `LiveError` for a table the user does not have.
        """
        return not self._audience_of(table).store.loaded.is_set()

    def refusal(self, table: str) -> str | None:
        """Return why the database refuses to answer what the session has chosen, None if it does not.

        Raises `LiveError` for a table the user does not have.
        """
        return self._audience_of(table).refusal

    def version(self, of: Dependency) -> Hashable:
        """Return a value that changes with what the session is shown of a table, or of a part of one.

        It is equal for two sessions only if they are shown the same. `of` may also be `STATUS`, `PRESENCE`,
        or the name of an item given to `Engine.own_changed`.
        """
        name = of.table if isinstance(of, Part) else of
        audiences = self._audiences()
        if name == STATUS:
            # Those whose connections the session depends on, and no others: hundreds of people come and go.
            return tuple((audience.number, audience.status_revision) for audience in audiences)
        for audience in reversed(audiences):
            if name in audience.store.specs:
                return audience.number, self._revision(audience, of)
        return self._pseudo_tables.version(name, self.owner)

    def _revision(self, audience: Audience, of: Dependency) -> Hashable:
        if not isinstance(of, Part):
            return audience.revision(of)
        table = audience.table(of.table)
        return None if table is None else of.value(table, self.user_id)

    def has_items(self) -> bool:
        """Return whether the owner has an item (`Engine.own_changed`), such as pending writes."""
        return self._pseudo_tables.has_items(self.owner)

    def watch_items(self) -> AbstractContextManager[ItemWatch]:
        """Watch the owner's items in the block."""
        return self._pseudo_tables.watch(self.owner)

    def status(self) -> FeedStatus:
        """Return how the session is connected: the worst of the public feed, the user's, and the views."""
        return status_of(self._audiences(), self._setup.status)

    def load_older(self, table: str, *, timeout: float = 10) -> bool:
        """Load the next older rows of a windowed table and wait for them. Return False if there are none.

        Raises `ReadError` if no usable answer came back, `TimeoutError` after `timeout` seconds, and
        `LiveError` for a table the user does not have.
        """
        return self._runner.result(self._audience_of(table).load_older(table), timeout)

    def choose(self, table: str, filters: Sequence[Filter]) -> bool:
        """Show the session only rows that pass the filters, or without them all. Return whether that is new.

        The server filters. Sessions of one user (of everybody, for a public table) that have chosen the same
        share one view, which closes a little after the last of them has chosen something else.

        Raises `FilterError` for columns that are not `filterable`, and `LiveError` if the session is not
        attached any more or its user has no such table.
        """
        return self._registry.choose(self.id, table, filters)

    def _audiences(self) -> list[Audience]:
        return self._registry.audiences_of(self.user_id, self.id)

    def _audience_of(self, table: str) -> Audience:
        return self._registry.audience_of(table, self.user_id, self.id)

"""What one session of the app is shown: its tables, and the versions of them that its fragments show."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from livetables.attached import AttachedSession
from livetables.engine import Engine
from livetables.rendering import Rendering
from livetables.sharing import Group
from livetables.tables.part import Dependency, table_names
from livetables.tables.snapshot import Snapshot


@dataclass(slots=True)
class Rendered:
    """A fragment that a session has rendered: its tables, and their versions at that time."""

    tables: tuple[Dependency, ...]
    versions: dict[Dependency, Hashable]
    variant: Hashable = None
    """The values of what a shared fragment varies by; None if the fragment is not shared."""
    rendering: Rendering | None = None
    """What it shows; None if that is not known, or cannot be sent to other sessions."""
    names: frozenset[str] = field(init=False)
    """The names of the tables, also of those of which it shows a part."""

    def __post_init__(self) -> None:
        self.names = table_names(self.tables)


@dataclass(slots=True)
class ShownSession:
    """One open tab. Its methods may be called on any thread."""

    engine: Engine
    attached: AttachedSession
    table_names: frozenset[str] = frozenset()
    """The tables that were put into `st.session_state`."""
    fragments: dict[str, Rendered] = field(default_factory=dict)
    """What each fragment has rendered, by fragment id."""
    page: str = ""
    filtered: set[str] = field(default_factory=set)
    """The tables of which the session has chosen a view."""

    @property
    def has_own_items(self) -> bool:
        """Whether it is a visitor's and shows an item that no other session shows."""
        return self.attached.user_id is None and self.attached.has_items()

    def versions(self, tables: Iterable[Dependency]) -> dict[Dependency, Hashable]:
        """Return the newest versions of these tables and parts."""
        return {table: self.attached.version(table) for table in tables}

    def newest_tables(self) -> dict[str, Snapshot[Any]]:
        """Return the tables that were put into `st.session_state`, at the newest moment."""
        return {name: table for name, table in self.attached.tables().items() if name in self.table_names}

    def stale_tables(self, moment: Moment) -> frozenset[str]:
        """Return the tables of all fragments that show an old version."""
        rendered = list(self.fragments.values())
        return frozenset(name for one in rendered if self._is_stale(one, moment) for name in one.names)

    def stale_fragments(self, tables: frozenset[str], moment: Moment) -> list[str]:
        """Return the ids of the fragments that show one of these tables and an old version of any table."""
        return [
            fragment
            for fragment, rendered in list(self.fragments.items())
            if not tables.isdisjoint(rendered.names) and self._is_stale(rendered, moment)
        ]

    def group(self, fragment: str, moment: Moment) -> Group | None:
        """Return the group of sessions that a shared fragment shows the same; None if there is none.

        Somebody with pending writes is shown them in any fragment, declared or not, so they share nothing.
        """
        rendered = self.fragments.get(fragment)
        if rendered is None or rendered.variant is None or self.attached.has_items():
            return None
        return Group(fragment, rendered.variant, tuple(moment.versions(self, rendered.tables).items()))

    def groups(self, fragments: Iterable[str], moment: Moment) -> list[Group]:
        """Return the groups of those fragments that have one."""
        groups = [self.group(fragment, moment) for fragment in fragments]
        return [group for group in groups if group is not None]

    def _is_stale(self, rendered: Rendered, moment: Moment) -> bool:
        return rendered.versions != moment.versions(self, rendered.tables)


class Moment:
    """The newest tables and their versions, looked up once for all sessions that are shown the same.

    That are those of one user without views and, of visitors, without items of their own.

    Keep it for one turn of the event loop, and look there again in the next one. Not thread-safe.
    """

    def __init__(self) -> None:
        self._versions: dict[Hashable, dict[Dependency, Hashable]] = {}
        self._tables: dict[Hashable, dict[str, Snapshot[Any]]] = {}

    def versions(self, session: ShownSession, tables: tuple[Dependency, ...]) -> dict[Dependency, Hashable]:
        """Return the versions of these tables that the session is shown."""
        if session.filtered or session.has_own_items:
            return session.versions(tables)
        key = (session.engine, session.attached.user_id, tables)
        if key not in self._versions:
            self._versions[key] = session.versions(tables)
        return self._versions[key]

    def tables(self, session: ShownSession) -> dict[str, Snapshot[Any]]:
        """Return the tables that were put into the session's `st.session_state`."""
        if session.filtered:
            return session.newest_tables()
        key = (session.engine, session.attached.user_id, session.table_names)
        if key not in self._tables:
            self._tables[key] = session.newest_tables()
        return self._tables[key]

"""Sessions of the app (one open tab each): what they are shown, and which of their fragments show what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from live import rerun
from live.engine import Engine
from live.errors import LiveError
from live.filters import Filter
from live.rerun import Wake
from live.status import FeedState, FeedStatus
from live.users import UserSession
from live.wakes import Wakes

FIRST_LOAD: Final = 5.0
"""Seconds a session's first run waits for tables that are not loaded yet, rather than show them empty."""

_SWEEP: Final = 2.0


@dataclass(slots=True)
class _Shown:
    """A fragment that a session has rendered: its tables, and the revision of each at that time."""

    tables: tuple[str, ...]
    revisions: dict[str, int]


@dataclass(slots=True)
class _Session:
    engine: Engine
    user_id: str | None
    names: frozenset[str] = frozenset()
    fragments: dict[str, _Shown] = field(default_factory=dict)
    page: str = ""
    chosen: set[str] = field(default_factory=set)

    def revisions(self, session_id: str, tables: Sequence[str]) -> dict[str, int]:
        return {table: self.engine.revision(table, self.user_id, session_id) for table in tables}

    def behind(self, session_id: str) -> frozenset[str]:
        """Return the tables of fragments that show an old revision."""
        fragments = list(self.fragments.values())
        return frozenset(
            table for shown in fragments if self._is_old(session_id, shown) for table in shown.tables
        )

    def stale(self, session_id: str, tables: frozenset[str]) -> list[str]:
        """Return the ids of the fragments that show an old revision of one of these tables."""
        return [
            fragment
            for fragment, shown in list(self.fragments.items())
            if not tables.isdisjoint(shown.tables) and self._is_old(session_id, shown)
        ]

    def _is_old(self, session_id: str, shown: _Shown) -> bool:
        return shown.revisions != self.revisions(session_id, shown.tables)


class Sessions:
    """Every session of this process that shows an engine's tables, and the wakes between the two."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop
        self._lock = threading.RLock()
        self._sessions: dict[str, _Session] = {}
        self._wakes = None if loop is None else Wakes(loop, self._deliver, rerun.at_rest)
        self._engines: set[Engine] = set()
        self._sweeping = False

    def bind(self, session_id: str, engine: Engine, user: UserSession | None) -> None:
        """Count the session in, and show it the newest moment."""
        user_id = None if user is None else user.user_id
        engine.attach(session_id, user)
        with self._lock:
            session = self._sessions.get(session_id)
            new = session is None or session.engine is not engine or session.user_id != user_id
            if session is None or new:
                names = frozenset() if session is None else session.names
                session = self._sessions[session_id] = _Session(engine, user_id, names)
            self._follow(engine)
        if new:
            engine.wait_loaded(FIRST_LOAD, user_id=user_id)
        # A full run renders every fragment of the page anew; those of the page before are gone.
        session.fragments.clear()
        self._show(session_id, session)

    def enter(self, session_id: str, fragment: str | None, tables: Sequence[str]) -> None:
        """Move the session to the newest moment for a fragment that begins to render these tables."""
        session = self._sessions.get(session_id)
        if session is None:
            return
        # First the numbers: a change between the two is rendered once too often, never too seldom.
        if fragment is not None:
            session.fragments[fragment] = _Shown(tuple(tables), session.revisions(session_id, tables))
        self._show(session_id, session)

    def look_at(self, session_id: str, page: str, item: str) -> None:
        """Let the others know where this session is."""
        session = self._sessions.get(session_id)
        if session is None:
            return
        session.engine.presence.put(session_id, session.user_id, page, item)
        if session.page != page:
            # Filters belong to the page where they were chosen.
            session.page = page
            for table in list(session.chosen):
                self.choose(session_id, None, table, ())

    def choose(self, session_id: str, fragment: str | None, table: str, filters: Sequence[Filter]) -> None:
        """Show the session a view of the table from now on, or with no filters the table."""
        session = self.session(session_id)
        new = session.engine.choose(session_id, table, filters)
        (session.chosen.add if filters else session.chosen.discard)(table)
        if not new:
            return
        self._show(session_id, session)
        running = None if fragment is None else session.fragments.get(fragment)
        if running is not None:
            running.revisions.update(session.revisions(session_id, [table]))
        if self._wakes is not None:
            # The other fragments that show this table.
            self._wakes.wake([session_id], frozenset({table}))

    def session(self, session_id: str) -> _Session:
        """Return a session that was counted in. Raises `LiveError`."""
        try:
            return self._sessions[session_id]
        except KeyError:
            raise LiveError("bind_session() comes first") from None

    def _follow(self, engine: Engine) -> None:
        if self._loop is None or self._wakes is None:
            return
        if engine not in self._engines:
            self._engines.add(engine)
            engine.listen(self._wakes.wake)
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_soon_threadsafe(self._sweep)

    def _show(self, session_id: str, session: _Session) -> None:
        state = rerun.session_state()
        tables = session.engine.tables(session.user_id, session_id)
        for name in session.names - tables.keys():
            state.pop(name, None)
        for name, snapshot in tables.items():
            if state.get(name) is not snapshot:
                state[name] = snapshot
        session.names = frozenset(tables)

    def _deliver(self, session_id: str, tables: frozenset[str]) -> Wake:
        session = self._sessions.get(session_id)
        if session is None:
            return Wake.GONE
        if not rerun.at_rest(session_id):
            return Wake.BUSY
        stale = session.stale(session_id, tables)
        for fragment in stale:
            if not rerun.holds(session_id, fragment):
                del session.fragments[fragment]
        return rerun.wake(session_id, stale) if stale else Wake.NOTHING

    def _sweep(self) -> None:
        """Forget the sessions whose tabs are closed, which lets their users' feeds close. On the loop.

        Those that are here and still show something old are woken again: a run may be cut short before it
        came to what it was for, and nothing else would tell.
        """
        with self._lock:
            gone = [session_id for session_id in self._sessions if not rerun.connected(session_id)]
            left = [(session_id, self._sessions.pop(session_id).engine) for session_id in gone]
            here = list(self._sessions.items())
            self._sweeping = bool(self._sessions)
            if self._sweeping and self._loop is not None:
                self._loop.call_later(_SWEEP, self._sweep)
        for session_id, engine in left:
            engine.detach(session_id)
        for session_id, session in here:
            if self._wakes is not None and (tables := session.behind(session_id)):
                self._wakes.wake([session_id], tables)


_lock: Final = threading.Lock()
_by_loop: Final[dict[asyncio.AbstractEventLoop | None, Sessions]] = {}


def bind_session(engine: Engine, user: UserSession | None) -> None:
    """Show the engine's tables in the running session. Call it first on every full run.

    Puts a `Snapshot` of every table the user may read into `st.session_state.<table>` (tables of an
    audience the session no longer belongs to are taken away), and counts the session in for wakes. Costs no
    reads; a session's first run waits a few seconds for tables that are still being loaded.
    """
    session_id = rerun.current_session()
    if session_id is not None:
        _running_sessions().bind(session_id, engine, user)


def enter_fragment(tables: Sequence[str]) -> None:
    """Move the running session to the newest moment, for the running fragment that shows these tables."""
    session_id = rerun.current_session()
    if session_id is not None:
        _running_sessions().enter(session_id, rerun.current_fragment(), tables)


def choose(table: str, filters: Sequence[Filter]) -> None:
    """Show the running session only those rows of a table that pass the filters; with none of them all rows.

    From now on `st.session_state.<table>` is a snapshot of these rows, which the server filters when it
    loads, streams and catches up. For a page's script, a fragment or a callback, as often as it runs: the
    same choice again costs nothing. It lasts until another is made or the page (`look_at`) is another.
    Sessions of one person with the same choice share one view. While its first rows are loading, `is_loading`
    says so.

    Raises `FilterError` for what is not among the table's `filterable` columns.
    """
    session_id = rerun.current_session()
    if session_id is not None:
        _running_sessions().choose(session_id, rerun.current_fragment(), table, filters)


def is_loading(table: str) -> bool:
    """Tell whether the table, as the running session has chosen it, has not got its first rows yet."""
    session_id = rerun.current_session()
    if session_id is None:
        return False
    session = _running_sessions().session(session_id)
    return session.engine.loading(table, session.user_id, session_id)


def refusal(table: str) -> str | None:
    """Return why the database cannot answer what the running session has chosen, None if it can."""
    session_id = rerun.current_session()
    if session_id is None:
        return None
    session = _running_sessions().session(session_id)
    return session.engine.refused(table, session.user_id, session_id)


def load_older(table: str) -> bool:
    """Load the next older rows of a table, as the running session has chosen it; False when there are none.

    Raises `ReadError` when nothing usable came back, `TimeoutError` when nothing did in time.
    """
    session_id = rerun.current_session()
    if session_id is None:
        return False
    session = _running_sessions().session(session_id)
    return session.engine.load_older(table, session.user_id, session_id)


def connection() -> FeedStatus:
    """Return how the running session is connected, its views included."""
    session_id = rerun.current_session()
    session = None if session_id is None else _running_sessions().session(session_id)
    if session is None:
        return FeedStatus(FeedState.CONNECTING, datetime.now(UTC))
    return session.engine.status(session.user_id, session_id)


def look_at(page: str, item: str = "") -> None:
    """Say that the running session shows this page, with this row open.

    What was chosen on another page (`choose`) is given up.
    """
    session_id = rerun.current_session()
    if session_id is not None:
        _running_sessions().look_at(session_id, page, item)


def _running_sessions() -> Sessions:
    """Return the sessions of the running server; without one (Streamlit's AppTest) nothing is woken."""
    loop = rerun.session_loop()
    with _lock:
        if loop not in _by_loop:
            # A server that ended took its loop and all its sessions with it.
            for old in [old for old in _by_loop if old is not None and old.is_closed()]:
                del _by_loop[old]
            _by_loop[loop] = Sessions(loop)
        return _by_loop[loop]

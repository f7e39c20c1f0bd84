"""Sessions of the app (one open tab each): what they are shown, and which of their fragments show what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from livetables import rerun
from livetables.engine import Engine
from livetables.errors import LiveError
from livetables.faults import FAULTS
from livetables.pseudo_tables import ItemWatch
from livetables.rendering import Element, Rendering, changes_between
from livetables.rerun_scheduler import RerunResult, RerunScheduler
from livetables.sharing import LEADER_TIMEOUT, Group, Renderings
from livetables.shown import Moment, Rendered, ShownSession
from livetables.tables.filters import Filter
from livetables.tables.part import Dependency, table_names
from livetables.users import UserSession

FIRST_LOAD: Final = 5.0
"""Seconds for which a session's first run waits for tables that are still loading, to not show them empty."""

_SWEEP: Final = 2.0
"""Seconds between two checks for closed tabs and for fragments that show old rows."""


class Sessions:
    """Every session of this process that shows an engine's tables, and the reruns they need.

    `loop` is the event loop of Streamlit's sessions. Without one, as in Streamlit's AppTest, nothing reruns.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop
        self._lock = threading.RLock()
        self._sessions: dict[str, ShownSession] = {}
        self._scheduler = (
            None if loop is None else RerunScheduler(loop, self._rerun, rerun.is_idle, self._push)
        )
        self._renderings = Renderings()
        self._moment: Moment | None = None
        self._engines: set[Engine] = set()
        self._sweeping = False

    def bind(self, session_id: str, engine: Engine, user: UserSession | None) -> None:
        """Attach the session to the engine, and show it the newest moment."""
        attached = engine.attach(session_id, user)
        with self._lock:
            session = self._sessions.get(session_id)
            new = (
                session is None
                or session.engine is not engine
                or session.attached.user_id != attached.user_id
            )
            if session is None or new:
                names = frozenset() if session is None else session.table_names
                session = self._sessions[session_id] = ShownSession(engine, attached, names)
            self._follow(engine)
        if new:
            engine.wait_loaded(FIRST_LOAD, user_id=attached.user_id)
        # A full run renders every fragment of the page again. Those of the previous page are gone.
        session.fragments.clear()
        self._update_state(session)

    def forget_fragments(self, session_id: str) -> None:
        """Rerun none of the session's fragments until it shows them again."""
        session = self._sessions.get(session_id)
        if session is not None:
            session.fragments.clear()

    def enter(self, session_id: str, fragment: str | None, tables: Sequence[Dependency]) -> None:
        """Move the session to the newest moment, for a fragment that begins to render these tables."""
        session = self._sessions.get(session_id)
        if session is not None:
            self._enter(session, fragment, tables)

    def _enter(
        self,
        session: ShownSession,
        fragment: str | None,
        tables: Sequence[Dependency],
        variant: Hashable = None,
    ) -> Rendered:
        # Note the versions first. A change after that is rendered once too often, not once too seldom.
        rendered = Rendered(tuple(tables), session.versions(tables), variant)
        if fragment is not None:
            session.fragments[fragment] = rendered
        self._update_state(session)
        return rendered

    @contextmanager
    def rendering(
        self, session_id: str, fragment: str | None, tables: Sequence[Dependency], variant: Hashable
    ) -> Iterator[None]:
        """Enter a fragment that renders these tables in the block, and share what it shows.

        `variant` are the values of what a shared fragment varies by, None if the fragment is not shared.
        """
        session = self._sessions.get(session_id)
        if session is None:
            yield
            return
        rendered = self._enter(session, fragment, tables, variant)
        with session.attached.watch_items() as own:
            try:
                if fragment is None or variant is None:
                    yield
                else:
                    group = Group(fragment, variant, tuple(rendered.versions.items()))
                    with self._sharing(session_id, group, rendered, own):
                        yield
            finally:
                if own.changed:
                    rendered.versions = {}  # perhaps it shows an item that is already gone again

    @contextmanager
    def _sharing(self, session_id: str, group: Group, rendered: Rendered, own: ItemWatch) -> Iterator[None]:
        """Share with the sessions of the group what the fragment shows in the block."""
        shown: Rendering | None = None
        try:
            with rerun.captured() as captured:
                yield
            shown = self._renderings.kept(group, captured.rendering(group.fragment))
            rendered.rendering = shown
        finally:
            # It may be sent to others only if it shows nothing of this person's, and the noted tables.
            private = own.had_items or own.changed or group.versions != tuple(rendered.versions.items())
            released = self._renderings.put(group, shown, session_id, private=private)
            self._schedule(released, rendered.names)

    def look_at(self, session_id: str, page: str, item: str) -> None:
        """Report to others where this session is. Filters chosen on another page end."""
        session = self._sessions.get(session_id)
        if session is None:
            return
        session.engine.presence.track(session_id, session.attached.user_id, page, item)
        if session.page != page:
            session.page = page
            for table in list(session.filtered):
                self.choose(session_id, None, table, ())

    def choose(self, session_id: str, fragment: str | None, table: str, filters: Sequence[Filter]) -> None:
        """Show the session a view of the table from now on, or without filters the whole table.

        `fragment` is the id of the fragment that chooses, if it is one. Raises as `AttachedSession.choose`.
        """
        session = self.session(session_id)
        new = session.attached.choose(table, filters)
        (session.filtered.add if filters else session.filtered.discard)(table)
        if not new:
            return
        self._update_state(session)
        running = None if fragment is None else session.fragments.get(fragment)
        if running is not None:
            chosen = [each for each in running.tables if table_names([each]) == {table}]
            running.versions.update(session.versions(chosen))
        # Rerun the other fragments that show this table.
        self._schedule([session_id], frozenset({table}))

    def variant(self, session_id: str, varies_by: Sequence[str], arguments: object) -> Hashable:
        """Return the arguments of a fragment, and the running session's values of what else it varies by.

        None if one of them has no hash, or the session is not bound.
        """
        session = self._sessions.get(session_id)
        if session is None:
            return None
        user_id = session.attached.user_id
        values = tuple(user_id if name in ("user", "role") else rerun.varying(name) for name in varies_by)
        try:
            hash((values, arguments))
        except TypeError:
            return None
        return values, arguments

    def end_if_closed(self, session_id: str) -> None:
        """End the running script if its tab was closed: what the script needs may be gone too."""
        if session_id not in self._sessions and self._loop is not None and not rerun.is_connected(session_id):
            rerun.stop()

    def session(self, session_id: str) -> ShownSession:
        """Return a bound session. Raises `LiveError` if it is not bound; ends the script of a closed tab."""
        try:
            return self._sessions[session_id]
        except KeyError:
            self.end_if_closed(session_id)
            raise LiveError("Call bind_session() first") from None

    def _schedule(self, session_ids: Iterable[str], tables: frozenset[str]) -> None:
        if self._scheduler is not None:
            self._scheduler.schedule(session_ids, tables)

    def _follow(self, engine: Engine) -> None:
        if self._loop is None or self._scheduler is None:
            return
        if engine not in self._engines:
            self._engines.add(engine)
            engine.listen(self._scheduler.schedule)
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_soon_threadsafe(self._sweep)

    def _update_state(self, session: ShownSession) -> None:
        """Put the newest tables into the running session's `st.session_state`."""
        state = rerun.session_state()
        tables = session.attached.tables()
        for name in session.table_names - tables.keys():
            state.pop(name, None)
        for name, snapshot in tables.items():
            if state.get(name) is not snapshot:
                state[name] = snapshot
        session.table_names = frozenset(tables)

    def _rerun(self, session_id: str, tables: frozenset[str]) -> RerunResult:
        """Rerun the session's fragments that show an old version of these tables. Called on the loop."""
        session = self._sessions.get(session_id)
        if session is None:
            return RerunResult.GONE
        if not rerun.is_idle(session_id):
            return RerunResult.BUSY
        stale = session.stale_fragments(tables, self._now())
        for fragment in stale:
            if not rerun.has_fragment(session_id, fragment):
                session.fragments.pop(fragment, None)
        before = [session.fragments[fragment] for fragment in stale if fragment in session.fragments]
        result = rerun.rerun_fragments(session_id, stale) if stale else RerunResult.NOTHING
        if result is RerunResult.STARTED:
            for rendered in before:
                rendered.rendering = None  # the browser drops it if the run ends before it comes to it
            for group in session.groups(stale, self._now()):
                self._lead(group, session_id)
        return result

    def _now(self) -> Moment:
        """Return the moment of this turn of the loop. Called on the loop."""
        if self._moment is None:
            self._moment = Moment()
            if self._loop is not None:
                self._loop.call_soon(setattr, self, "_moment", None)
        return self._moment

    def _lead(self, group: Group, session_id: str) -> None:
        """Let the group wait for this session's rerun, but not for long."""
        self._renderings.lead(group, session_id)
        if self._loop is not None:
            self._loop.call_later(LEADER_TIMEOUT, self._give_up, group, session_id)

    def _give_up(self, group: Group, session_id: str) -> None:
        released = self._renderings.give_up(group, session_id)
        self._schedule(released, table_names(table for table, _ in group.versions))

    def _push(self, session_id: str, tables: frozenset[str]) -> RerunResult:
        """Send the session what other sessions have rendered of its shared fragments. Called on the loop.

        Returns `STARTED` if that is all, `WAITING` if another session reruns, `NOTHING` if it has to rerun.
        """
        session = self._sessions.get(session_id)
        if session is None:
            return RerunResult.GONE
        result = RerunResult.STARTED
        pushed: list[tuple[Rendered, Group, Rendering]] = []
        elements: list[Element] = []
        moment = self._now()
        for fragment in session.stale_fragments(tables, moment):
            group, rendered = session.group(fragment, moment), session.fragments.get(fragment)
            if rendered is None:  # a run has begun meanwhile, on a thread of its own
                return RerunResult.BUSY
            newest = None if group is None else self._renderings.find(group)
            known = rendered.rendering
            changes = None if known is None or newest is None else changes_between(known, newest)
            if group is not None and newest is not None and changes is not None:
                pushed.append((rendered, group, newest))
                elements += changes
            elif group is None or known is None or not self._renderings.wait(group, session_id):
                result = RerunResult.NOTHING
            elif result is RerunResult.STARTED:
                result = RerunResult.WAITING
        if pushed:
            ids = (group.fragment for _, group, _ in pushed)
            sent = rerun.push_elements(session_id, ids, elements, moment.tables(session))
            if sent is not RerunResult.STARTED:
                return sent
        for rendered, group, newest in pushed:
            rendered.versions, rendered.rendering = dict(group.versions), newest
        return result

    def _sweep(self) -> None:
        """Detach the sessions whose tabs are closed, so that their users' feeds can close. Runs on the loop.

        Sessions that still show old rows rerun again: a run may be cut short, which nothing else tells.
        """
        with self._lock:
            sessions = list(self._sessions.items())
        for session_id, session in sessions:
            with FAULTS.contained("sweep"):
                self._check(session_id, session)
        with self._lock:
            self._sweeping = bool(self._sessions)
            if self._sweeping and self._loop is not None:
                self._loop.call_later(_SWEEP, self._sweep)

    def _check(self, session_id: str, session: ShownSession) -> None:
        # A script that outlives its connection still asks for what the session is shown.
        if not rerun.is_connected(session_id) and rerun.is_idle(session_id):
            with self._lock:
                self._sessions.pop(session_id, None)
            session.engine.detach(session_id)
            return
        if self._scheduler is not None and (tables := session.stale_tables(self._now())):
            self._scheduler.schedule([session_id], tables)

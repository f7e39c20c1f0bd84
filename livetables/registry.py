"""Which sessions are attached to an engine, and which audiences serve them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from livetables.audiences import Audience, AudienceContext
from livetables.errors import LiveError
from livetables.feed_runner import FeedRunner
from livetables.tables.filters import Filter, canonical, check
from livetables.tables.spec import AnySpec, Visibility
from livetables.timing import Timing
from livetables.users import UserSession
from livetables.views import Choice, Views


class Registry:
    """The attached sessions, the public audience, one audience a user, and the views. Thread-safe.

    It opens a user's feed with their first session and closes it a little after the last one.
    """

    def __init__(
        self, specs: Sequence[AnySpec], context: AudienceContext, runner: FeedRunner, timing: Timing
    ) -> None:
        self._context = context
        self._runner = runner
        self._timing = timing
        self._private = tuple(spec for spec in specs if spec.visibility is not Visibility.PUBLIC)
        public = [spec for spec in specs if spec.visibility is not Visibility.USER]
        self.public: Final = Audience(None, public, context)
        """The audience of everybody."""
        self._lock = threading.RLock()
        self._users: dict[str, Audience] = {}
        self._sessions: dict[str, str | None] = {}
        self._token_watches: dict[str, Callable[[], None]] = {}
        self._views: Final = Views(self)

    # Sessions.

    @property
    def sessions(self) -> Mapping[str, str | None]:
        """A copy of the attached sessions: the user's id, or None, by session id."""
        with self._lock:
            return dict(self._sessions)

    def attach(self, session_id: str, user: UserSession | None) -> bool:
        """Attach a session and open its user's feed. Return False if it was attached as this user already."""
        user_id = None if user is None else user.user_id
        with self._lock:
            if self._is_attached(session_id, user):
                return False
            self.detach(session_id)
            self._sessions[session_id] = user_id
            if user is not None:
                self._join(session_id, user)
        return True

    def _is_attached(self, session_id: str, user: UserSession | None) -> bool:
        if session_id not in self._sessions:
            return False
        if user is None:
            return self._sessions[session_id] is None
        audience = self._users.get(user.user_id)
        # The same user may have signed in again, with another session of Auth.
        return audience is not None and audience.users.get(session_id) is user

    def _join(self, session_id: str, user: UserSession) -> None:
        audience = self._users.get(user.user_id)
        if audience is None:
            audience = self._users[user.user_id] = Audience(user.user_id, self._private, self._context)
        audience.users[session_id] = user
        self._token_watches[session_id] = user.on_token(
            lambda token: self._runner.push_token(user.user_id, token)
        )
        self._runner.open(audience)

    def detach(self, session_id: str) -> None:
        """Forget a session. Its user's feed closes a little after the last one."""
        with self._lock:
            user_id = self._sessions.pop(session_id, None)
            self._views.remove_session(session_id)
            if stop_watching := self._token_watches.pop(session_id, None):
                stop_watching()
            audience = None if user_id is None else self._users.get(user_id)
            if audience is not None:
                audience.users.pop(session_id, None)
                if not audience.users:
                    self._runner.call_later(self._timing.linger, self._close_unused, audience)

    def _close_unused(self, audience: Audience) -> None:
        assert audience.user_id is not None
        with self._lock:
            if audience.users or self._users.get(audience.user_id) is not audience:
                return
            del self._users[audience.user_id]
            self._views.close_all_of(audience.user_id)
        self._runner.close(audience)

    def follow(self, spec: AnySpec) -> None:
        """Keep this table current as well, or in another way than before if it has been followed already."""
        with self._lock:
            audiences = [] if spec.visibility is Visibility.USER else [self.public]
            if spec.visibility is not Visibility.PUBLIC:
                others = (one for one in self._private if one.name != spec.name)
                self._private = (*others, spec)
                audiences += self._users.values()
            audiences += [view for choice, view in self._views.open.items() if choice.table == spec.name]
        for audience in audiences:
            audience.store.follow(spec)
            self._runner.call(audience.follow, spec.name)

    def sessions_of_user(self, user_id: str | None) -> frozenset[str]:
        """Return the ids of this user's sessions, or with None of all sessions."""
        with self._lock:
            return frozenset(
                session for session, user in self._sessions.items() if user_id is None or user == user_id
            )

    def sessions_of_owner(self, owner: str) -> frozenset[str]:
        """Return the ids of this user's sessions, or the session with this id if it is a visitor's."""
        with self._lock:
            if owner in self._sessions:
                return frozenset({owner})
        return self.sessions_of_user(owner)

    def sessions_of(self, audience: Audience) -> frozenset[str]:
        """Return the ids of the sessions that are shown this audience's tables."""
        if not audience.filters:
            return self.sessions_of_user(audience.user_id)
        with self._lock:
            return self._views.sessions_of(audience)

    # Audiences.

    def user_audience(self, user_id: str) -> Audience | None:
        """Return the audience of a user, None if their feed is not open."""
        with self._lock:
            return self._users.get(user_id)

    def audiences_of(self, user_id: str | None, session_id: str | None = None) -> list[Audience]:
        """Return the audiences whose tables a user sees; with a session, also its views, which come last."""
        with self._lock:
            own = None if user_id is None else self._users.get(user_id)
            base = [self.public] if own is None else [self.public, own]
            return base + self._views.of_session(session_id)

    def audience_of(self, table: str, user_id: str | None, session_id: str | None = None) -> Audience:
        """Return the audience from which a user, or a session of theirs, sees a table.

        Raises `LiveError` if there is no such table for them.
        """
        for audience in reversed(self.audiences_of(user_id, session_id)):
            if table in audience.store.specs:
                return audience
        raise LiveError(f"No feed of {user_id or 'the public'} holds a table {table!r}")

    def audience_of_writer(self, table: str, user_id: str | None) -> Audience | None:
        """Return the audience that shows what this user wrote; None if it is private and they have left.

        Raises `LiveError` if there is no such table.
        """
        with self._lock:
            left = user_id is not None and user_id not in self._users
            if left and any(spec.name == table for spec in self._private):
                return None
            return self.audience_of(table, user_id)

    # Views.

    @property
    def views(self) -> Mapping[Choice, Audience]:
        """A copy of the open views."""
        with self._lock:
            return self._views.open

    def choose(self, session_id: str, table: str, filters: Sequence[Filter]) -> bool:
        """Show an attached session only rows that pass the filters, or all. Return whether that is new.

        Raises `FilterError` for columns that are not `filterable`, and `LiveError` if the session is not
        attached or its user has no such table.
        """
        with self._lock:
            if session_id not in self._sessions:
                raise LiveError("The session is not attached")
            base = self.audience_of(table, self._sessions[session_id])
            checked = check(canonical(filters), base.store.specs[table].filterable)
            choice = Choice(base.user_id, table, checked) if checked else None
            return self._views.choose(session_id, table, choice)

    def views_of_tables(self, base: Audience, tables: Iterable[str]) -> list[tuple[str, Audience]]:
        """Return the views of these tables of an audience, each with the name of its table."""
        with self._lock:
            return self._views.of_tables(base.user_id, tables)

    def open_view(self, choice: Choice) -> Audience:
        """Create a view and open its feed. For `Views`, which is called under the lock."""
        base = self.audience_of(choice.table, choice.user_id)
        spec = base.store.specs[choice.table]
        view = Audience(choice.user_id, [spec], self._context, filters=choice.filters, base=base)
        self._runner.open(view)
        # From then on its state counts as that of the connection.
        self._runner.call_later(self._timing.view_opening, self._context.on_status, view)
        return view

    def close_view(self, view: Audience) -> None:
        """Close a view's feed. For `Views`."""
        self._runner.close(view)

    def close_view_later(self, choice: Choice) -> None:
        """Close a view after a while, if it is still unused. For `Views`."""
        self._runner.call_later(self._timing.linger, self._close_unused_view, choice)

    def _close_unused_view(self, choice: Choice) -> None:
        with self._lock:
            self._views.close_unused(choice)

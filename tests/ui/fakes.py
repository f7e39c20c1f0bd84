"""Fakes for the tests of writes: a connection that a test switches, a database that answers on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from db.auth.accounts import SignedIn
from db.errors import DatabaseError
from db.hub.models import User
from livetables.engine import STATUS
from livetables.feed.status import FeedState, FeedStatus
from livetables.tables.snapshot import EMPTY, Snapshot
from tests.ui.samples import snapshot
from ui.base.write_queue import WRITES


@dataclass(frozen=True, slots=True)
class Somebody:
    """The part of a sign-in that writes use."""

    user_id: str = "id-Ann"


ME = cast("SignedIn", Somebody())


@dataclass
class Connection:
    """The part of an engine that writes use: the status of the person's connection, and its listeners."""

    state: FeedState = FeedState.LIVE
    revisions: list[int] = field(default_factory=list)
    listeners: list[Callable[[frozenset[str], frozenset[str]], None]] = field(default_factory=list)
    shown: list[tuple[object, ...]] = field(default_factory=list)
    """The rows applied to the engine before their echo."""
    users: Snapshot[Any] = EMPTY
    sessions: Mapping[str, str | None] = field(default_factory=lambda: {"tab": None, "another tab": None})

    def own_changed(self, name: str, user_id: str, revision: int) -> None:
        assert (name, user_id) == (WRITES, ME.user_id)
        self.revisions.append(revision)

    def status(self, user_id: str | None = None) -> FeedStatus:
        assert user_id == ME.user_id
        return FeedStatus(self.state, datetime.now(UTC))

    def listen(self, listener: Callable[[frozenset[str], frozenset[str]], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def call_later(self, seconds: float, function: Callable[[], object]) -> None:
        timer = threading.Timer(seconds, function)
        timer.daemon = True
        timer.start()

    def tables(self, user_id: str | None = None) -> Mapping[str, Snapshot[Any]]:
        return {"users": self.users}

    def profiles_change(self, *users: User) -> None:
        """Show these profiles, and no others."""
        self.users = snapshot(users)
        for listener in self.listeners:
            listener(frozenset(), frozenset({"users"}))

    def apply_written(self, *written: object) -> None:
        self.shown.append(written)

    def becomes(self, state: FeedState) -> None:
        self.state = state
        for listener in self.listeners:
            listener(frozenset(), frozenset({STATUS}))


class Database:
    """Answers, or refuses, once a test opens it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.written: list[str] = []
        self.errors: list[DatabaseError] = []

    def answer(self, what: str) -> str:
        """Write, or raise the next error, once the database is open."""
        assert self.open.wait(30)
        if self.errors:
            raise self.errors.pop(0)
        self.written.append(what)
        return what

    def write(self, what: str) -> Callable[[SignedIn], str]:
        def do(me: SignedIn) -> str:
            assert me is ME
            return self.answer(what)

        return do

"""A connection that a test switches, and a database that answers when it is let."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from db.auth import SignedIn
from db.errors import DatabaseError
from live.engine import STATUS
from live.status import FeedState, FeedStatus
from ui.pending import WRITES


@dataclass(frozen=True, slots=True)
class Somebody:
    """As much of a sign-in as a write hands on."""

    user_id: str = "id-Ann"


ME = cast("SignedIn", Somebody())


@dataclass
class Connection:
    """As much of an engine as writes meet: how the person is connected, and whom it tells."""

    state: FeedState = FeedState.LIVE
    revisions: list[int] = field(default_factory=list)
    listeners: list[Callable[[frozenset[str], frozenset[str]], None]] = field(default_factory=list)
    shown: list[tuple[object, ...]] = field(default_factory=list)
    """What was shown before its echo."""

    def own_changed(self, name: str, user_id: str, revision: int) -> None:
        assert (name, user_id) == (WRITES, ME.user_id)
        self.revisions.append(revision)

    def status(self, user_id: str | None = None) -> FeedStatus:
        assert user_id == ME.user_id
        return FeedStatus(self.state, datetime.now(UTC))

    def listen(self, listener: Callable[[frozenset[str], frozenset[str]], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def apply_written(self, *written: object) -> None:
        self.shown.append(written)

    def becomes(self, state: FeedState) -> None:
        self.state = state
        for listener in self.listeners:
            listener(frozenset(), frozenset({STATUS}))


class Database:
    """Does what it is told, when it is let."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.written: list[str] = []
        self.errors: list[DatabaseError] = []

    def answer(self, what: str) -> str:
        """Do it, or refuse it, once that is let."""
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

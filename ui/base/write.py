"""One write that a person submitted: what it does, how it is ordered, and how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from db.auth.accounts import SignedIn
from db.errors import DatabaseError
from livetables.overlays import Expected


class Mode(Enum):
    """How a write is ordered with the person's other writes, and what happens without a connection."""

    ORDERED = auto()
    """After the writes before it. Without a connection it is refused at once."""
    RETRY_WHEN_ONLINE = auto()
    """After the writes before it. It waits until the connection is back, or a quota leaves room for it."""
    CONCURRENT = auto()
    """In parallel to all others, for a write that takes long, such as a file."""


class State(Enum):
    """The progress of a write."""

    PENDING = auto()
    WAITING = auto()
    """It is sent as soon as the connection is back, or the quota leaves room for it."""
    REFUSED = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class Write:
    """A write that a person submitted.

    `do` writes it and applies the result to the engine. It has to be idempotent, because it may be repeated.
    `text` is what the person wrote; it is kept until it is sent. `notify_session` is the id of the session
    that shows the outcome, and `success_message` what it shows for a success. `me` is the sign-in with which
    it was submitted, until it is answered.
    """

    do: Callable[[SignedIn], object]
    expected: tuple[Expected, ...] = ()
    text: str | None = None
    mode: Mode = Mode.ORDERED
    notify_session: str | None = None
    success_message: str | None = None
    state: State = State.PENDING
    error: DatabaseError | None = None
    result: object = None
    tried: int = 0
    me: SignedIn | None = None
    _answered: threading.Event = field(default_factory=threading.Event)

    def answer(self) -> None:
        """Release those who wait for the answer."""
        self._answered.set()

    @property
    def done(self) -> bool:
        """Whether it has an answer, good or bad."""
        return self._answered.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait up to so many seconds for the answer; return whether it came."""
        return self._answered.wait(seconds)

    def refuse(self, error: DatabaseError) -> None:
        """Refuse it without trying."""
        self.state, self.error = State.REFUSED, error
        self.answer()

    @property
    def shown(self) -> bool:
        """Whether its expected rows are shown."""
        waiting = self.state is State.WAITING and self.text is None
        return self.state is State.PENDING or waiting

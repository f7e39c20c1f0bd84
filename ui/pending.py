"""What people have asked for and the database has not answered yet, shown at once in all their tabs.

A write says what it will make of a few rows. While it is under way, `Line.over` lays that over the newest
snapshot, for its person only: every widget shows the result as it shows everything else, and nobody else pays
for it. A person's writes are done one after another, by a thread of the process and not by the tab's script,
which goes on showing what others do; what may take long is done beside them. An answer ends the write: the
row of the database takes the place of the expected one, or nothing does and the person is told why. What they
wrote themselves stays until it is sent or they discard it, in this process, so that it outlives a reload of
the page.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final, Protocol, TypeVar

from db.auth import SignedIn
from db.errors import DatabaseError, Unreachable
from db.models import Event, EventCohost, PrivateMessage, Rsvp, TavernMessage, User
from live.changes import FINAL, Change, Key, Op
from live.engine import STATUS
from live.snapshot import Snapshot
from live.status import FeedState, FeedStatus

R = TypeVar("R")
M = TypeVar("M", User, Event, EventCohost, Rsvp, TavernMessage, PrivateMessage)

WRITES: Final = "writes"
"""Stands among the tables of a live fragment for the person's own writes under way."""

AT_ONCE: Final = 0.1
"""Seconds in which an answer counts as immediate: nothing has to be shown as pending."""

_ABOVE_ALL: Final = FINAL + 1
_AT_THE_SAME_TIME: Final = 32
_MOST_TOLD: Final = 20
_FIRST_RETRY, _LONGEST_RETRY = 1.0, 15.0

Start = Callable[[Callable[[], None]], object]
"""Has something done by another thread."""

log = logging.getLogger(__name__)
_revisions = itertools.count(1)


class Shows(Protocol):
    """What is needed of the engine."""

    def own_changed(self, name: str, user_id: str, revision: int) -> None:
        """Wake the person's fragments that show `name`."""

    def status(self, user_id: str | None = None) -> FeedStatus:
        """Tell how the person is connected."""

    def listen(self, listener: Callable[[frozenset[str], frozenset[str]], None]) -> Callable[[], None]:
        """Tell of changes from now on."""


class State(Enum):
    """How far a write has come."""

    UNDER_WAY = auto()
    WAITING = auto()
    """For the connection; done by itself as soon as it is back."""
    REFUSED = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a write will make of a row: `row`, or nothing when that is None. `new` rows are not there yet."""

    table: str
    key: Key
    row: object | None
    new: bool = False


@dataclass(slots=True, eq=False)
class Write:
    """Something that a person asked for. `do` writes it, shows it through the engine, and may be repeated.

    `text` is what they wrote and must not lose: it is kept until it is sent. `waits` says to try again when
    there is no connection. `told` is the session that is told how it ended, and `words` what it is told when
    it ended well. `apart` is for what takes long, such as a file: nothing waits for it, nor it for anything.
    """

    do: Callable[[SignedIn], object]
    expected: tuple[Expected, ...] = ()
    text: str | None = None
    waits: bool = False
    told: str | None = None
    words: str | None = None
    apart: bool = False
    state: State = State.UNDER_WAY
    error: DatabaseError | None = None
    result: object = None
    tried: int = 0
    _answered: threading.Event = field(default_factory=threading.Event)

    def answer(self) -> None:
        """Let those who wait for it go on."""
        self._answered.set()

    @property
    def done(self) -> bool:
        """Whether it has an answer, good or bad."""
        return self._answered.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the answer; return whether it came."""
        return self._answered.wait(seconds)

    def refuse(self, error: DatabaseError) -> None:
        """End it before it has begun."""
        self.state, self.error = State.REFUSED, error
        self.answer()

    @property
    def shown(self) -> bool:
        """Whether what it is expected to do is shown."""
        waiting = self.state is State.WAITING and self.text is None
        return self.state is State.UNDER_WAY or waiting


class Line:
    """One person's writes in this process. For any thread."""

    def __init__(self, user_id: str, engine: Shows, start: Start, start_apart: Start) -> None:
        self._user_id = user_id
        self._engine = engine
        self._start = start
        self._start_apart = start_apart
        self._lock = threading.RLock()
        self._writes: list[Write] = []
        self._told: list[Write] = []
        self._me: SignedIn | None = None
        self._working = False
        self._timer: threading.Timer | None = None
        self._revision = 0
        self._over: dict[str, tuple[Snapshot[Any], int, Snapshot[Any]]] = {}

    # What the person asks for.

    def put(self, write: Write, me: SignedIn) -> None:
        """Do it, after what they asked for before, or apart from that."""
        with self._lock:
            self._me = me
            self._writes.append(write)
            self._changed()
        if write.apart:
            self._start_apart(lambda: self._settle(write, self._do(write, me)))
        else:
            self.go_on(me)

    def go_on(self, me: SignedIn | None = None) -> None:
        """Do what waits for the connection, or what the person wants to have tried again."""
        with self._lock:
            self._me = me or self._me
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            for write in self._writes:
                if write.state is State.WAITING:
                    write.state = State.UNDER_WAY
            begin, self._working = not self._working, True
        if begin:
            self._start(self._work)

    def again(self, write: Write, me: SignedIn) -> None:
        """Try once more what was refused."""
        with self._lock:
            if write not in self._writes:
                return
            write.state, write.error = State.UNDER_WAY, None
            self._changed()
        self.go_on(me)

    def discard(self, write: Write) -> None:
        """Give up what was not sent."""
        with self._lock:
            if write in self._writes and write.state is not State.UNDER_WAY:
                self._writes.remove(write)
                self._changed()

    # What is shown of it.

    @property
    def waiting(self) -> bool:
        """Whether something waits for the connection."""
        return any(write.state is State.WAITING for write in tuple(self._writes))

    def over(self, table: str, base: Snapshot[R]) -> Snapshot[R]:
        """Return the snapshot as it will be; the same one when nothing of this table is pending."""
        with self._lock:
            expected = [each for each in self._expected() if each.table == table]
            if not expected:
                return base
            known = self._over.get(table)
            if known is None or known[:2] != (base, self._revision):
                known = self._over[table] = (base, self._revision, laid_over(base, expected))
            return known[2]

    def keys(self, table: str) -> frozenset[Key]:
        """Return the keys of the rows that are shown as they will be."""
        with self._lock:
            return frozenset(each.key for each in self._expected() if each.table == table)

    def unsent(self, table: str) -> list[Write]:
        """Return what the person wrote for this table and could not be sent."""
        with self._lock:
            return [
                write
                for write in self._writes
                if write.text is not None
                and not write.shown
                and any(each.table == table for each in write.expected)
            ]

    def outcomes(self, session_id: str | None) -> list[Write]:
        """Take what has ended and this session has to tell, once."""
        with self._lock:
            taken = [write for write in self._told if write.told == session_id]
            if taken:
                self._told = [write for write in self._told if write.told != session_id]
                self._changed()
            return taken

    def _expected(self) -> Iterable[Expected]:
        return (each for write in self._writes if write.shown for each in write.expected)

    def _changed(self) -> None:
        self._revision = next(_revisions) if self._writes or self._told else 0
        self._over.clear()
        self._engine.own_changed(WRITES, self._user_id, self._revision)

    # Doing it, in a thread of the process.

    def _work(self) -> None:
        while (found := self._next()) is not None:
            write, me = found
            self._settle(write, self._do(write, me))

    def _next(self) -> tuple[Write, SignedIn] | None:
        with self._lock:
            due = (each for each in self._writes if each.state is State.UNDER_WAY and not each.apart)
            write = next(due, None)
            if write is None or self._me is None:
                self._working = False
                return None
            return write, self._me

    def _do(self, write: Write, me: SignedIn) -> DatabaseError | None:
        if self._engine.status(self._user_id).state is FeedState.OFFLINE:
            return Unreachable(perhaps_written=False)  # told at once, without waiting for nothing
        try:
            write.result = write.do(me)
        except DatabaseError as error:
            return error
        except Exception:
            # A fault of ours must not keep everything that comes after it from being written.
            log.exception("A write failed")
            return DatabaseError()
        return None

    def _settle(self, write: Write, error: DatabaseError | None) -> None:
        with self._lock:
            write.error = error
            write.tried += 1
            if isinstance(error, Unreachable) and write.waits:
                self._wait_with(write)
            else:
                self._end(write, error)
            self._changed()
            write.answer()

    def _end(self, write: Write, error: DatabaseError | None) -> None:
        write.state = State.DONE if error is None else State.REFUSED
        if error is None or write.text is None:
            self._writes.remove(write)
            if write.told is not None and (error is not None or write.words is not None):
                self._told = [*self._told[-_MOST_TOLD:], write]

    def _wait_with(self, write: Write) -> None:
        """Wait with it and with all after it, so that they keep their order."""
        for each in self._writes[self._writes.index(write) :]:
            if each.waits and each.state is State.UNDER_WAY:
                each.state, each.error = State.WAITING, write.error
                each.answer()
        if self._timer is None:
            pause = min(_LONGEST_RETRY, _FIRST_RETRY * 2.0 ** min(write.tried - 1, 10))
            self._timer = threading.Timer(pause, self.go_on)
            self._timer.daemon = True
            self._timer.start()


def laid_over(base: Snapshot[R], expected: Iterable[Expected]) -> Snapshot[R]:
    """Return the snapshot with expected rows in place; what has gone or arrived meanwhile is left alone."""
    rows = base.rows
    for number, each in enumerate(expected):
        if (each.key in rows) is each.new:
            continue
        op = Op.DELETE if each.row is None else Op.UPDATE
        change: Change[Any] = Change(each.table, op, each.key, each.row, _ABOVE_ALL + number)
        rows = rows.apply(change)
    return Snapshot(rows, -next(_revisions))


def with_values(row: M, values: Mapping[str, object]) -> M:
    """Return a row with some columns changed, given as the database would take them."""
    record = {each.name: _as_json(getattr(row, each.name)) for each in fields(row)}
    return type(row).from_record({**record, **values})


def _as_json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def saving_html(pending: bool, words: str = "Saving…") -> str:
    """Mark what the database has not confirmed yet, for eyes and screen readers."""
    return f'<span class="tv-saving" role="status">{words}</span>' if pending else ""


class Writes:
    """The lines of everybody who writes in this process."""

    def __init__(self, engine: Shows) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._lines: dict[str, Line] = {}
        self._pool = ThreadPoolExecutor(_AT_THE_SAME_TIME, thread_name_prefix="writes")
        self._long = ThreadPoolExecutor(_AT_THE_SAME_TIME, thread_name_prefix="long writes")
        engine.listen(self._hear)

    def of(self, user_id: str) -> Line:
        """Return a person's line."""
        with self._lock:
            if user_id not in self._lines:
                self._lines[user_id] = Line(user_id, self._engine, self._pool.submit, self._long.submit)
            return self._lines[user_id]

    def _hear(self, _sessions: frozenset[str], tables: frozenset[str]) -> None:
        if STATUS not in tables:
            return
        with self._lock:
            lines = [*self._lines.items()]
        for user_id, line in lines:
            if line.waiting and self._engine.status(user_id).state is not FeedState.OFFLINE:
                line.go_on()

"""The queue of a person's writes: what they submitted shows at once in all their tabs, before it is written.

A write has the rows as they are expected to be afterwards. While it is pending, `WriteQueue.overlay` puts
these rows on top of the newest snapshot, for this person only, so every widget shows the result with the code
that shows all other rows. A thread of the process does a person's writes one after another; the script of the
tab does not wait for it. Writes that may take long run in parallel.

An answer ends the write. The row of the database replaces the expected one, or the expected row disappears
and the person is shown why. Text that cannot be sent is kept until it is sent or discarded. The queue belongs
to the process, so it survives a reload of the page.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from db.auth.accounts import SignedIn
from db.errors import DatabaseError, SignedOutError, SlowDownError, UnreachableError
from livetables.engine import STATUS
from livetables.faults import FAULTS
from livetables.feed.status import FeedState, FeedStatus
from livetables.overlays import Expected, overlaid
from livetables.tables.changes import Key
from livetables.tables.snapshot import Snapshot
from livetables.timing import Backoff
from ui.base.background import Threads
from ui.base.expected import with_values
from ui.base.write import Mode, State, Write

__all__ = [
    "PENDING_AFTER",
    "WRITES",
    "Expected",
    "Mode",
    "State",
    "Write",
    "WriteQueue",
    "WriteQueues",
    "with_values",
]

R = TypeVar("R")

WRITES: Final = "writes"
"""The name under which a live fragment subscribes to the person's own pending writes."""

PENDING_AFTER: Final = 0.1
"""Seconds to wait for an answer before the write is shown as pending."""

_USERS: Final = "users"
_MOST_THREADS: Final = 32
_MOST_OUTCOMES: Final = 20

_revisions = itertools.count(1)


class Engine(Protocol):
    """What the queues need of the engine."""

    def own_changed(self, name: str, user_id: str, revision: int) -> None:
        """Wake the person's fragments that show `name`."""

    def status(self, user_id: str | None = None) -> FeedStatus:
        """Return how the person is connected."""

    def listen(self, listener: Callable[[frozenset[str], frozenset[str]], None]) -> Callable[[], None]:
        """Call the listener with every change; return how to stop that."""

    def call_later(self, seconds: float, function: Callable[[], object]) -> None:
        """Call the function after so many seconds, on a thread that it must not block."""

    def tables(self, user_id: str | None = None) -> Mapping[str, Snapshot[Any]]:
        """Return the tables that this user may read; None: the public ones."""

    @property
    def sessions(self) -> Mapping[str, str | None]:
        """The ids of the sessions that are open, each with its user's id."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all queues of a process share. `keep` is told whether a queue has something to keep."""

    engine: Engine
    threads: Threads
    long_threads: Threads
    keep: Callable[[WriteQueue, bool], None]


class WriteQueue:
    """One person's writes in this process. Safe for any thread."""

    def __init__(self, user_id: str, shared: _Shared, backoff: Backoff) -> None:
        self.user_id: Final = user_id
        self._shared = shared
        self._engine = shared.engine
        self._backoff = backoff
        self._lock = threading.RLock()
        self._writes: list[Write] = []
        self._outcomes: list[Write] = []
        self._working = False
        self._retry_number = 0
        """The number of the retry that is scheduled, 0 for none."""
        self._has_profile = False
        self._deleted = False
        self._revision = 0
        self._overlays: dict[str, tuple[Snapshot[Any], int, Snapshot[Any]]] = {}

    # ---- submitting

    def add(self, write: Write, me: SignedIn) -> None:
        """Write it after the writes before it, or in parallel to them (`Mode`), always with this sign-in."""
        with self._lock:
            # In one step with `_changed`: a fragment that shows the write must learn that it shows it.
            self._writes.append(write)
            self._note(write, me)
        self._start(write)

    def retry(self, write: Write, me: SignedIn) -> None:
        """Try a refused write again, with this sign-in."""
        with self._lock:
            if write not in self._writes or write.state is not State.REFUSED:
                return
            self._note(write, me)
        self._start(write)

    def _note(self, write: Write, me: SignedIn) -> None:
        write.me, write.state, write.error = me, State.PENDING, None
        self._has_profile = self._has_profile or self._profile_exists()
        self._changed()

    def _start(self, write: Write) -> None:
        if write.mode is Mode.CONCURRENT:
            self._shared.long_threads.start(lambda: self._settle(write, self._do(write)))
        else:
            self.resume()

    def resume(self) -> None:
        """Write what waits for the connection, each with its own sign-in."""
        with self._lock:
            self._retry_number = 0
            for write in self._writes:
                if write.state is State.WAITING:
                    write.state = State.PENDING
            idle, self._working = not self._working, True
        if idle:
            self._shared.threads.start(self._work)

    def discard(self, write: Write) -> None:
        """Drop a text that was not sent."""
        with self._lock:
            if write in self._writes and write.state is not State.PENDING:
                self._writes.remove(write)
                write.me = None
                self._changed()

    def clean_up(self) -> None:
        """Drop outcomes for tabs that are closed, and everything once the person's account is deleted."""
        open_sessions, has_profile = self._engine.sessions, self._profile_exists()
        with self._lock:
            outcomes = [write for write in self._outcomes if write.notify_session in open_sessions]
            # A new account's profile may not have arrived yet, so only one that was there can be gone.
            self._deleted = self._deleted or (self._has_profile and not has_profile)
            self._has_profile = has_profile
            writes = [] if self._deleted else self._writes
            if (len(writes), len(outcomes)) == (len(self._writes), len(self._outcomes)):
                return
            for write in self._writes if self._deleted else ():
                write.me = None
                write.refuse(SignedOutError())
            self._writes, self._outcomes = writes, [] if self._deleted else outcomes
            self._changed()

    def _profile_exists(self) -> bool:
        users = self._engine.tables().get(_USERS)
        return users is not None and (self.user_id,) in users

    # ---- showing

    @property
    def waiting(self) -> bool:
        """Whether a write waits for the connection."""
        return any(write.state is State.WAITING for write in tuple(self._writes))

    def overlay(self, table: str, base: Snapshot[R]) -> Snapshot[R]:
        """Return the snapshot with the expected rows; the same one when nothing of this table is pending."""
        if not self._writes:
            return base
        with self._lock:
            expected = [each for each in self._expected() if each.table == table]
            if not expected:
                return base
            known = self._overlays.get(table)
            if known is None or known[:2] != (base, self._revision):
                known = self._overlays[table] = (base, self._revision, overlaid(base, expected))
            return known[2]

    def keys(self, table: str) -> frozenset[Key]:
        """Return the keys of the rows that the database has not confirmed yet."""
        if not self._writes:
            return frozenset()
        with self._lock:
            return frozenset(each.key for each in self._expected() if each.table == table)

    def unsent(self, table: str) -> list[Write]:
        """Return the writes of this table whose text could not be sent."""
        with self._lock:
            return [
                write
                for write in self._writes
                if write.text is not None
                and not write.shown
                and any(each.table == table for each in write.expected)
            ]

    def outcomes(self, session_id: str | None) -> list[Write]:
        """Take the ended writes whose outcome this session has to show. Each is returned once."""
        with self._lock:
            taken = [write for write in self._outcomes if write.notify_session == session_id]
            if taken:
                self._outcomes = [write for write in self._outcomes if write.notify_session != session_id]
                self._changed()
            return taken

    def _expected(self) -> Iterable[Expected]:
        return (each for write in self._writes if write.shown for each in write.expected)

    def _changed(self) -> None:
        keeps = bool(self._writes or self._outcomes)
        self._revision = next(_revisions) if keeps else 0
        self._overlays.clear()
        self._shared.keep(self, keeps)
        with FAULTS.contained("writes"):
            self._engine.own_changed(WRITES, self.user_id, self._revision)

    # ---- writing, in a thread of the process

    def _work(self) -> None:
        while (write := self._next()) is not None:
            self._settle(write, self._do(write))

    def _next(self) -> Write | None:
        with self._lock:
            queued = (each for each in self._writes if each.mode is not Mode.CONCURRENT)
            write = next((each for each in queued if each.state is State.PENDING), None)
            self._working = write is not None
            return write

    def _do(self, write: Write) -> DatabaseError | None:
        try:
            if self._engine.status(self.user_id).state is FeedState.OFFLINE:
                return UnreachableError(perhaps_written=False)  # without waiting for a timeout
            me = write.me
            if me is None:
                return SignedOutError()
            write.result = write.do(me)
        except DatabaseError as error:
            return _without_frames(error)
        except Exception as error:
            # A fault in one write must not block all writes after it.
            FAULTS.record("writes", error)
            return DatabaseError()
        return None

    def _settle(self, write: Write, error: DatabaseError | None) -> None:
        with self._lock:
            if write in self._writes:
                write.error = error
                write.tried += 1
                if write.mode is Mode.RETRY_WHEN_ONLINE and _may_succeed_later(error):
                    self._hold_back(write)
                else:
                    self._end(write, error)
                if not isinstance(error, UnreachableError):
                    self._backoff.reset()
                self._changed()
            write.answer()

    def _end(self, write: Write, error: DatabaseError | None) -> None:
        write.state = State.DONE if error is None else State.REFUSED
        # Kept writes must not keep the sign-in of somebody who has left.
        write.me = None
        if error is None or write.text is None or self._deleted:
            self._writes.remove(write)
            if write.notify_session is not None and (error is not None or write.success_message is not None):
                self._outcomes = [*self._outcomes[-_MOST_OUTCOMES:], write]

    def _hold_back(self, write: Write) -> None:
        """Let it wait, and all writes after it, so that they keep their order."""
        for each in self._writes[self._writes.index(write) :]:
            if each.mode is Mode.RETRY_WHEN_ONLINE and each.state is State.PENDING:
                each.state, each.error = State.WAITING, write.error
                each.answer()
        if not self._retry_number:
            self._retry_number = number = next(_revisions)
            wait = write.error.wait if isinstance(write.error, SlowDownError) else None
            self._engine.call_later(wait or self._backoff.next(), lambda: self._retry(number))

    def _retry(self, number: int) -> None:
        if number == self._retry_number:
            self.resume()


def _may_succeed_later(error: DatabaseError | None) -> bool:
    return isinstance(error, UnreachableError) or (
        isinstance(error, SlowDownError) and error.wait is not None
    )


def _without_frames(error: DatabaseError) -> DatabaseError:
    """Return the error without its tracebacks: it is kept and shown, and their frames hold the sign-in."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


class WriteQueues:
    """The queues of all people who write in this process.

    A write that waits for the connection is tried again when the feed reports that it is back, and also after
    growing pauses of `first_retry` to `longest_retry` seconds, in case no feed does.
    """

    def __init__(self, engine: Engine, first_retry: float = 1.0, longest_retry: float = 15.0) -> None:
        self._engine = engine
        self._retry = (first_retry, longest_retry)
        self._lock = threading.Lock()
        # A queue lives while it keeps something, so that nothing stays of people who have left.
        self._queues: weakref.WeakValueDictionary[str, WriteQueue] = weakref.WeakValueDictionary()
        self._keeping: set[WriteQueue] = set()
        threads = Threads("writes", _MOST_THREADS, engine.call_later)
        long_threads = Threads("long writes", _MOST_THREADS, engine.call_later)
        self._shared = _Shared(engine, threads, long_threads, self._keep)
        engine.listen(self._on_change)

    def of(self, user_id: str) -> WriteQueue:
        """Return a person's queue."""
        with self._lock:
            queue = self._queues.get(user_id)
            if queue is None:
                queue = self._queues[user_id] = WriteQueue(user_id, self._shared, Backoff(*self._retry))
            return queue

    def _keep(self, queue: WriteQueue, keeps: bool) -> None:
        with self._lock:
            (self._keeping.add if keeps else self._keeping.discard)(queue)

    def _on_change(self, _sessions: frozenset[str], tables: frozenset[str]) -> None:
        if tables.isdisjoint((STATUS, _USERS)):
            return
        with self._lock:
            queues = [*self._keeping]
        for queue in queues:
            with FAULTS.contained("writes"):
                queue.clean_up()
                if queue.waiting and self._engine.status(queue.user_id).state is not FeedState.OFFLINE:
                    queue.resume()

"""What people write: it shows at once in the writer's tab, is written in order, and a refusal is kept.

Each owner (a person, or a visitor's tab) has a list of writes. While the database has not answered, `overlay`
puts the rows as they will be on top of the newest snapshot. The requests run on the engine's thread.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx

from livetables.engine import Engine
from livetables.errors import ClashError, LiveError, WriteError
from livetables.faults import FAULTS
from livetables.library.requests import Project, Rest
from livetables.overlays import Expected, overlaid
from livetables.tables.changes import Key, Record
from livetables.tables.snapshot import Snapshot
from livetables.tables.spec import AnySpec
from livetables.users import UserSession

R = TypeVar("R")

_MOST_OUTCOMES: Final = 20
_BUG: Final = "Something went wrong, so this was not saved. Please try again."

_revisions = itertools.count(1)


REFUSED: Final = "refused writes"
"""The name by which a fragment depends on the owner's writes that were refused, of any table."""


def item_of(table: str) -> str:
    """Return the name by which a fragment depends on the owner's own writes of this table."""
    return f"writes of {table}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is written to: its description, and the name of its version column."""

    spec: AnySpec
    version: str


@dataclass(slots=True, eq=False)
class Write:
    """One write, as `db.insert`, `db.update`, `db.delete` and `db.call` return it.

    `error` says why it was refused. `row` is what the database has returned: the row, or what the function
    has. Both are None until then. `table` and `key` are None for a function.
    """

    table: Table | None
    key: Key | None
    send: Callable[[Any], Awaitable[object]] = field(repr=False)
    expected: Expected | None = None
    error: WriteError | None = None
    row: Any = None
    _answered: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def name(self) -> str:
        """The name of its table, empty for a function."""
        return "" if self.table is None else self.table.spec.name

    @property
    def done(self) -> bool:
        """Whether the database has answered."""
        return self._answered.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the answer; return whether it has come."""
        return self._answered.wait(seconds)

    def answer(self) -> None:
        """Release those who wait."""
        self._answered.set()


@dataclass(slots=True)
class _Owned:
    """What one owner has written."""

    pending: list[Write] = field(default_factory=list)
    refused: list[Write] = field(default_factory=list)
    in_order: asyncio.Lock = field(default_factory=asyncio.Lock)


class Writes:
    """The writes of everybody in this process. Methods may be called on any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._owned: dict[str, _Owned] = {}

    def add(self, write: Write, owner: str, user: UserSession | None) -> None:
        """Show what the write will make, and send it after the owner's earlier ones."""
        with self._lock:
            self._forget_left()
            owned = self._owned.setdefault(owner, _Owned())
            owned.pending.append(write)
            self._changed(owner, write)

        async def work(http: httpx.AsyncClient) -> None:
            async with owned.in_order:
                write.error = await self._send(write, user, http)
            self._settle(write, owner)

        self._engine.spawn(work)

    async def _send(
        self, write: Write, user: UserSession | None, http: httpx.AsyncClient
    ) -> WriteError | None:
        user_id = None if user is None else user.user_id
        try:
            # It may wait for a refresh over HTTP.
            token = None if user is None else await asyncio.to_thread(user.access_token)
            write.row = await write.send(self._requests(write, http, token))
        except ClashError as error:
            self._apply(write, error.theirs, user_id)
            return error
        except WriteError as error:
            return error
        except LiveError as error:
            return WriteError(str(error))
        except Exception as error:
            # A fault in one write must not block those after it.
            FAULTS.record("writes", error)
            return WriteError(_BUG)
        self._apply(write, write.row, user_id)
        return None

    def _requests(self, write: Write, http: httpx.AsyncClient, token: str | None) -> Project:
        config, table = self._engine.config, write.table
        if table is None:
            return Project(config, http, token)
        return Rest(config, http, token, table.spec, table.version)

    def _apply(self, write: Write, record: Record | None, user_id: str | None) -> None:
        # It is written, whatever goes wrong with showing it.
        with FAULTS.contained("writes"):
            if write.table is None:
                return
            if record is not None:
                self._engine.apply_written(write.name, record, user_id)
            elif write.key is not None:
                self._engine.apply_deleted(write.name, write.key, user_id=user_id)

    def _settle(self, write: Write, owner: str) -> None:
        with self._lock:
            owned = self._owned[owner]
            owned.pending.remove(write)
            if write.error is not None and owner:
                owned.refused = [*owned.refused[-_MOST_OUTCOMES:], write]
            self._changed(owner, write)
            self._forget_if_empty(owner)
        write.answer()

    def _changed(self, owner: str, write: Write) -> None:
        if owner:
            owned = self._owned[owner]
            keeps = any(each.name == write.name for each in (*owned.pending, *owned.refused))
            self._engine.own_changed(item_of(write.name), owner, next(_revisions) if keeps else 0)
            if write.error is not None:
                self._engine.own_changed(REFUSED, owner, next(_revisions) if owned.refused else 0)

    def _forget_if_empty(self, owner: str) -> None:
        owned = self._owned[owner]
        if not owned.pending and not owned.refused:
            del self._owned[owner]

    def _forget_left(self) -> None:
        """Drop what was refused to people and tabs that are not here any more."""
        sessions = self._engine.sessions
        here = {*sessions, *sessions.values()}
        for owner, owned in list(self._owned.items()):
            if owner not in here and not owned.pending:
                del self._owned[owner]

    # Showing.

    def overlay(self, owner: str, table: str, base: Snapshot[R]) -> Snapshot[R]:
        """Return the snapshot with the rows as the owner's writes will make them."""
        if owner not in self._owned:
            return base
        with self._lock:
            pending = self._owned[owner].pending if owner in self._owned else ()
            expected = [each.expected for each in pending if each.expected is not None]
        expected = [each for each in expected if each.table == table]
        return overlaid(base, expected) if expected else base

    def pending(self, owner: str, table: str) -> frozenset[Key]:
        """Return the keys of the rows that the owner has written and the database has not confirmed."""
        with self._lock:
            owned = self._owned.get(owner, _Owned())
            expected = (each.expected for each in owned.pending)
            return frozenset(each.key for each in expected if each is not None and each.table == table)

    def take_refused(self, owner: str) -> list[Write]:
        """Take the owner's refused writes, to show why. Each is returned once; clashes are not among them."""
        if owner not in self._owned:
            return []
        with self._lock:
            owned = self._owned.get(owner, _Owned())
            taken = [each for each in owned.refused if not isinstance(each.error, ClashError)]
            for each in taken:
                owned.refused.remove(each)
                self._changed(owner, each)
            if taken:
                self._forget_if_empty(owner)
            return taken

    def clashes(self, owner: str, table: str) -> list[tuple[Write, ClashError]]:
        """Return the owner's writes of this table that clash with others', until they are decided."""
        if owner not in self._owned:
            return []
        with self._lock:
            refused = [(each, each.error) for each in self._owned.get(owner, _Owned()).refused]
        return [
            (write, error)
            for write, error in refused
            if isinstance(error, ClashError) and write.name == table
        ]

    def decide(self, write: Write, owner: str) -> None:
        """Forget a clash that the person has decided."""
        with self._lock:
            owned = self._owned.get(owner)
            if owned is not None and write in owned.refused:
                owned.refused.remove(write)
                self._changed(owner, write)
                self._forget_if_empty(owner)


def same_key(table: Table, key: object) -> Key:
    """Return a key as the engine has it. `key` is the value of the key column, or a list of several.

    Raises `LiveError` if it has too few or too many values.
    """
    values = tuple(key) if isinstance(key, tuple | list) else (key,)
    if len(values) != len(table.spec.key):
        columns = ", ".join(table.spec.key)
        raise LiveError(f"The key of {table.spec.name} is ({columns}), and {key!r} is not.")
    return tuple(str(value) for value in values)

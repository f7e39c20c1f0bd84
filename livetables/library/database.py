"""A Supabase project whose tables are live: what an app watches, and how it writes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from livetables.config import EngineConfig
from livetables.database.check import describe
from livetables.database.description import WatchedTable
from livetables.engine import Engine
from livetables.errors import LiveError, SetupError
from livetables.library import session
from livetables.library.requests import Project, Rest, Seen
from livetables.library.row_types import as_record
from livetables.library.specs import Handler, Order, Wanted, in_order, parse_order, spec_of
from livetables.library.writes import Table, Write, Writes, same_key
from livetables.overlays import Expected
from livetables.tables.changes import Key, Record
from livetables.tables.snapshot import EMPTY, Snapshot

SOON: Final = 0.1
"""Seconds to wait for an answer. One that comes in time is shown without the expected row before it."""


class Database:
    """One project, as `connect` returns it: the same object for all tabs of this process."""

    def __init__(self, config: EngineConfig) -> None:
        self.config: Final = config
        self._lock = threading.RLock()
        self._described: dict[str, WatchedTable] = {}
        self._wanted: dict[str, Wanted] = {}
        self._tables: dict[str, Table] = {}
        self._engine: Engine | None = None
        self._writes: Writes | None = None

    def watch(
        self,
        table: str,
        *,
        order: str | Sequence[str] = (),
        row_type: type | None = None,
        handler: Handler | None = None,
        window: int | None = None,
    ) -> None:
        """Keep a table current from now on. Call it in each run; only what is new costs anything.

        The key, the version column and who may read the table are read from the database.

        Arguments:
            table: the table's name.
            order: the columns to sort by, such as `"title"` or `("done", "created_at.desc")`.
            row_type: a dataclass or pydantic model for the rows; by default they are read-only dicts.
            handler: a pure function that takes all rows and a change and returns the rows with it. The usual
                one is `lambda rows, change: rows.apply(change)`.
            window: how many of the newest rows by the first column of `order` are loaded. `load_older` loads
                more.

        Raises:
            SetupError: The database lacks something. The text names it, and the SQL that mends it.
            LiveError: The arguments do not fit the table.
            ReadError: The database does not answer.
        """
        wanted = Wanted(parse_order(order), row_type, handler, window)
        before = self._wanted.get(table)
        if before is not None and before.identity == wanted.identity:
            return
        with self._lock:
            described = self._described.get(table) or self._describe(table)
            spec = spec_of(described, wanted)
            self._tables[table] = Table(spec, str(described.version))
            self._wanted[table] = wanted
            if self._engine is not None:
                self._engine.follow(spec)

    def _describe(self, table: str) -> WatchedTable:
        """Ask the database. Raises `SetupError` for what keeps the table from being live."""
        found = describe(self.config.url, self.config.key, [table])
        if found.errors or not found.tables:
            raise SetupError("\n\n".join(str(problem) for problem in found.errors))
        self._described[table] = found.tables[0]
        return found.tables[0]

    def missing(self) -> list[str]:
        """Ask the database what it lacks now of what it had. Raises `ReadError` if it does not answer."""
        found = describe(self.config.url, self.config.key, sorted(self._tables))
        return [str(problem) for problem in found.errors]

    @property
    def engine(self) -> Engine:
        """The engine that keeps the tables current. It starts when it is first needed."""
        with self._lock:
            if self._engine is None:
                self._engine = Engine.start(self.config, [table.spec for table in self._tables.values()])
                self._writes = Writes(self._engine)
                self._engine.keep_checking(self.missing)
            return self._engine

    @property
    def writes(self) -> Writes:
        """The writes of everybody in this process."""
        engine = self.engine
        assert engine is self._engine
        assert self._writes is not None
        return self._writes

    # Reading.

    def order_of(self, table: str) -> tuple[Order, ...]:
        """Return how the rows of a table are sorted. Raises `LiveError` if it is not watched."""
        self._table(table)
        return self._wanted[table].order

    def rows(self, table: str) -> list[Any]:
        """Return the rows of a table as the running tab shows them, sorted. Empty while they are loading.

        Raises `LiveError` if the table is not watched.
        """
        return in_order(self.snapshot(table), self.order_of(table), self._table(table).spec.key)

    def snapshot(self, table: str) -> Snapshot[Any]:
        """Return the newest snapshot that the running tab shows, with what its person has just written."""
        self._table(table)
        base: Snapshot[Any] = session.snapshot(self.engine, table) or EMPTY
        return self.writes.overlay(session.owner(), table, base)

    def _table(self, name: str) -> Table:
        try:
            return self._tables[name]
        except KeyError:
            raise LiveError(f"{name} is not watched. Call db.watch({name!r}) before.") from None

    # Writing. The names of parameters end at the slash, so that every column can be named.

    def insert(self, table: str, /, **values: object) -> Write:
        """Insert a row. It shows at once, and disappears with a message if the database refuses it.

        A key of one uuid column is chosen here, unless it is given.

        Raises `LiveError` if the table is not watched, or has no such column.
        """
        target, record = self._table(table), self._record(table, values)
        described = self._described[table]
        if len(described.key) == 1 and described.columns.get(described.key[0]) == "uuid":
            record = {described.key[0]: str(uuid.uuid4()), **record}
        key, expected = None, None
        if all(column in record for column in described.key):
            key = target.spec.key_of(record)
            blank = {name: _blank(postgres) for name, postgres in described.columns.items()}
            expected = self._expected(target, key, {**blank, target.version: 1, **record}, new=True)

        async def send(rest: Rest) -> Record:
            return await rest.insert(record)

        return self._add(Write(target, key, send, expected))

    def update(self, table: str, key: object, /, **values: object) -> Write:
        """Change columns of a row. It shows at once, and changes back with a message if it is refused.

        If somebody else has changed other columns of the row since the tab has shown it, both changes stay.
        If they have changed the same ones, the fragment with the table shows both, and the person chooses.

        Arguments:
            table: the table's name.
            key: the value of the key column; a tuple if there are several.
            values: the columns to change.

        Raises `LiveError` if the table is not watched, or has no such column.
        """
        target, record = self._table(table), self._record(table, values)
        name = same_key(target, key)
        row = self.snapshot(table).get(name)
        shown = {} if row is None else as_record(row)
        # A row that is not shown here may be older than the window.
        seen = None if row is None else Seen(shown, target.spec.version(row))
        expected = None if row is None else self._expected(target, name, {**shown, **record})

        async def send(rest: Rest) -> Record:
            return await rest.update(name, record, seen)

        return self._add(Write(target, name, send, expected))

    def delete(self, table: str, key: object, /) -> Write:
        """Delete a row. It disappears at once, and comes back with a message if the database refuses.

        Raises `LiveError` if the table is not watched.
        """
        target = self._table(table)
        name = same_key(target, key)

        async def send(rest: Rest) -> None:
            await rest.delete(name)

        return self._add(Write(target, name, send, Expected(table, name, None)))

    def call(self, function: str, /, **arguments: object) -> Write:
        """Call a function of the database, for what a row's columns cannot say, such as adding one vote.

        What it changes arrives as others' changes do. A refusal is told as that of other writes.
        """
        record = {name: as_json(value) for name, value in arguments.items()}

        async def send(project: Project) -> object:
            return await project.call(function, record)

        return self._add(Write(None, None, send))

    def _add(self, write: Write) -> Write:
        self.writes.add(write, session.owner(), session.user())
        write.wait(SOON)
        return write

    def _record(self, table: str, values: Mapping[str, object]) -> Record:
        columns = self._described[table].columns
        unknown = [name for name in values if name not in columns]
        if unknown:
            raise LiveError(f"{table} has no column {unknown[0]!r}. The columns are {', '.join(columns)}.")
        return {name: as_json(value) for name, value in values.items()}

    def _expected(self, table: Table, key: Key, record: Record, *, new: bool = False) -> Expected | None:
        try:
            return Expected(table.spec.name, key, table.spec.parse(record), new)
        except (ValueError, KeyError):
            # Only the database knows what the row will be.
            return None


def as_json(value: object) -> object:
    """Return a value as JSON has it: times, ids and exact numbers are texts there."""
    match value:
        case Enum():
            return as_json(value.value)
        case date() | datetime():
            return value.isoformat()
        case Decimal() | uuid.UUID():
            return str(value)
        case Mapping():
            return {str(name): as_json(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [as_json(each) for each in value]
        case _:
            return value


def _blank(postgres: str) -> object:
    """Return a value of this type, to show until the database has answered with the column's default."""
    if postgres == "boolean":
        return False
    if postgres in ("smallint", "integer", "bigint", "real", "double precision") or postgres.startswith(
        "numeric"
    ):
        return 0
    if postgres in ("text",) or postgres.startswith("character"):
        return ""
    if postgres.startswith("timestamp"):
        return datetime.now(UTC).isoformat()
    return None

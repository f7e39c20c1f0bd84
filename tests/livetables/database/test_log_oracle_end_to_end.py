"""Transactions that overlap: each reader is told of each change once, and of no private one of others."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.livetables.database.tables import ANN, BOB, cursor_of
from tests.supabase_schema.database import Session, session

READERS: dict[str, str | None] = {"visitor": None, "ann": ANN, "bob": BOB}
WRITERS = 3
DOCUMENTS = """
create table public.documents (id uuid primary key, user_id uuid not null, public boolean not null);
alter table public.documents enable row level security;
create policy "Own and public" on public.documents for select using (public or (select auth.uid()) = user_id);
select livetables.watch('documents');
"""
OWNERS = st.sampled_from([ANN, BOB])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["insert", "update"]), st.integers(0, WRITERS - 1), OWNERS, st.booleans()),
        st.tuples(st.sampled_from(["delete", "commit", "rollback"]), st.integers(0, WRITERS - 1)),
        st.tuples(st.just("read"), st.sampled_from(sorted(READERS))),
    ),
    min_size=30,
    max_size=60,
)

Row = tuple[str, bool]
"""Whose it is, and whether it is public."""


@dataclass(slots=True)
class Writer:
    """An open transaction, and what it would make of the rows."""

    db: Session
    rows: dict[str, Row | None] = field(default_factory=dict)
    told: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in READERS})


class World:
    """The table, as it should be, and what each reader has still to be told."""

    def __init__(self, writers: list[Session], reader: Session) -> None:
        self.writers = [Writer(db) for db in writers]
        self.reader = reader
        self.rows: dict[str, Row] = {}
        self.due: dict[str, set[str]] = {name: set() for name in READERS}
        self.cursors = dict.fromkeys(READERS, cursor_of(reader))
        reader.commit()

    def free_key(self, writer: Writer) -> str | None:
        """Return a row that this transaction may change without waiting for another one."""
        taken = {key for other in self.writers if other is not writer for key in other.rows}
        visible = {key for key, row in {**self.rows, **writer.rows}.items() if row is not None}
        return min(visible - taken, default=None)

    def write(self, writer: Writer, key: str, row: Row | None) -> None:
        """Note the change, and who may know of it: whoever could see the row before or can after."""
        before = writer.rows[key] if key in writer.rows else self.rows.get(key)
        for state in filter(None, (before, row)):
            for name, person in READERS.items():
                if state[1] or person == state[0]:
                    writer.told[name].add(key)
        writer.rows[key] = row

    def act(self, verb: str, writer: Writer, *values: object) -> None:
        """Do one step of a writer."""
        key = str(uuid.uuid4()) if verb == "insert" else self.free_key(writer)
        if verb == "insert":
            writer.db.run("insert into public.documents values (%s, %s, %s)", key, *values)
        elif key is not None and verb == "update":
            writer.db.run("update public.documents set user_id = %s, public = %s where id = %s", *values, key)
        elif key is not None:
            writer.db.run("delete from public.documents where id = %s", key)
        if key is not None:
            owner, public = values or (None, None)
            self.write(writer, key, (str(owner), bool(public)) if values else None)

    def end(self, writer: Writer, *, commit: bool) -> None:
        """End a transaction."""
        if commit:
            writer.db.commit()
            for name in READERS:
                self.due[name] |= writer.told[name]
            for key, row in writer.rows.items():
                if row is None:
                    self.rows.pop(key, None)
                else:
                    self.rows[key] = row
        else:
            writer.db.rollback()
        writer.rows.clear()
        writer.told = {name: set() for name in READERS}

    def read(self, name: str) -> tuple[list[str], set[str]]:
        """Return the keys that a reader is told, and those that are due."""
        self.reader.act_as(READERS[name])
        answer = self.reader.changes_since(self.cursors[name])
        self.reader.commit()
        self.cursors[name] = str(answer["cursor"])
        assert answer["resync"] is False
        told = answer["changes"]
        assert isinstance(told, list)
        due, self.due[name] = self.due[name], set()
        return [change["key"]["id"] for change in told], due


@pytest.fixture(scope="module")
def connections(dsn: str) -> Iterator[list[Session]]:
    """Give connections to a database with a watched table."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(session(dsn)) for _ in range(WRITERS + 1)]
        opened[0].run(DOCUMENTS)
        opened[0].commit()
        yield opened
        for one in opened:
            one.rollback()
        opened[0].run("select livetables.unwatch('documents'); drop table public.documents")
        opened[0].commit()


@settings(max_examples=40)
@given(steps=STEPS)
def test_each_reader_is_told_of_each_change_once(
    connections: list[Session], steps: list[tuple[object, ...]]
) -> None:
    *writing, reader = connections
    for connection in writing:
        connection.rollback()
    writing[0].run("delete from public.documents")
    writing[0].commit()
    world = World(writing, reader)
    ends = [("commit", number) for number in range(WRITERS)]
    for verb, *values in [
        *steps,
        *ends,
        *(("read", name) for name in READERS),
        *(("read", name) for name in READERS),
    ]:
        if verb == "read":
            told, due = world.read(str(values[0]))
            assert sorted(told) == sorted(due)
            continue
        writer = world.writers[int(str(values[0]))]
        if verb in ("commit", "rollback"):
            world.end(writer, commit=verb == "commit")
        else:
            world.act(str(verb), writer, *values[1:])

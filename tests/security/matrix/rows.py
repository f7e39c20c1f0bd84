"""Rows as their owner sees them, by the keys that the catalog names; and a way to write them again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from local_supabase.keys import Login, load_keys
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from tests.supabase_schema.access import Values, sql_column
from tests.supabase_schema.database import Session, session

Record = Mapping[str, object]
Key = tuple[tuple[str, str], ...]
"""The columns of a primary key, by name, with their values as text."""


@contextmanager
def superuser(stack: StackInfo) -> Iterator[Session]:
    """Open a session that no policy, trigger or foreign key stops."""
    password = load_keys(DataDir(stack.data_dir)).passwords[Login.SUPABASE_ADMIN]
    address = urlsplit(stack.database_url)
    place = address.netloc.rpartition("@")[2]
    netloc = f"{Login.SUPABASE_ADMIN}:{quote(password, safe='')}@{place}"
    with session(urlunsplit(address._replace(netloc=netloc))) as opened:
        opened.run("set session_replication_role = replica")
        opened.commit()
        yield opened


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a database, through a superuser's session."""

    sql: Session
    keys: Mapping[str, list[str]]
    """The columns of each table's primary key."""

    def find(self, table: str, row: Values) -> list[Record]:
        """Return the rows with these values."""
        where = " and ".join(f"{sql_column(column)} = %s" for column in row)
        found = self.sql.rows(f"select to_jsonb(t) from public.{table} t where {where}", *row.values())
        return [dict(record) for (record,) in found if isinstance(record, dict)]

    def key(self, table: str, record: Record) -> Key:
        """Return the primary key of a row."""
        return tuple((column, str(record.get(column))) for column in self.keys[table])

    def delete(self, table: str, record: Record) -> None:
        """Delete a row and nothing that hangs on it."""
        where, values = self._place(table, record)
        self.sql.run(f"delete from public.{table} where {where}", *values)

    def touch(self, table: str, record: Record) -> None:
        """Update a row to what it is."""
        where, values = self._place(table, record)
        column = next(name for name in record if name not in self.keys[table])
        self.sql.run(f"update public.{table} set {column} = {column} where {where}", *values)

    def insert(self, table: str, record: Record) -> None:
        """Insert a row as it was."""
        columns = ", ".join(f'"{column}"' for column in record)
        self.sql.run(
            f"insert into public.{table} ({columns}) overriding system value"
            f" select {columns} from jsonb_populate_record(null::public.{table}, %s)",
            json.dumps(record),
        )

    def _place(self, table: str, record: Record) -> tuple[str, list[object]]:
        where = " and ".join(f"{column} = %s" for column in self.keys[table])
        return where, [record[column] for column in self.keys[table]]


def rows_of(sql: Session) -> Rows:
    """Read the primary keys from the catalog."""
    keys: dict[str, list[str]] = {}
    for table, column in sql.rows(
        "select c.relname, a.attname from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)"
        " where i.indisprimary and c.relnamespace = 'public'::regnamespace order by a.attnum"
    ):
        keys.setdefault(str(table), []).append(str(column))
    return Rows(sql, keys)

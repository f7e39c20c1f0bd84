"""The rows that a person should see: those that Postgres returns under row-level security."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol

import psycopg2
from psycopg2 import sql

from livetables.engine import Engine
from livetables.tables.changes import Key
from livetables.tables.spec import AnySpec
from livetables.tables.store import Store
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS

Rows = Mapping[Key, object]
Tables = Mapping[str, Rows]


class Somebody(Protocol):
    """A person with an account."""

    @property
    def user_id(self) -> str:
        """Their id."""


class Oracle:
    """Loads all tables as any person, in one query, so that they are of the same moment."""

    def __init__(self, stack: StackInfo) -> None:
        self._connection = psycopg2.connect(stack.database_url)
        self._query = sql.SQL(" union all ").join(_everything(spec) for spec in ALL_SPECS)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def fresh_load(self, me: Somebody | None) -> Tables:
        """Return the rows that a fresh load gives this person."""
        return {spec.name: _loaded(spec, rows) for spec, rows in self._rows(me)}

    def everything(self, me: Somebody | None) -> Tables:
        """Return all rows that this person may see, also those outside the windows."""
        return {spec.name: rows for spec, rows in self._rows(me)}

    def _rows(self, me: Somebody | None) -> list[tuple[AnySpec, Rows]]:
        role = "authenticated" if me else "anon"
        claims = json.dumps({"role": role, **({"sub": me.user_id} if me else {})})
        with self._connection.cursor() as cursor:
            settings = "select set_config('request.jwt.claims', %s, true), set_config('role', %s, true)"
            cursor.execute(settings, (claims, role))
            cursor.execute(self._query)
            found = dict(cursor.fetchall())
        self._connection.rollback()
        return [
            (spec, {spec.key_of(record): spec.parse(record) for record in found[spec.name]})
            for spec in ALL_SPECS
        ]


def _everything(spec: AnySpec) -> sql.Composable:
    return sql.SQL("select {name}, coalesce(jsonb_agg(to_jsonb(t)), '[]') from public.{table} as t").format(
        name=sql.Literal(spec.name), table=sql.Identifier(spec.name)
    )


def _loaded(spec: AnySpec, rows: Rows) -> Rows:
    """Return the rows that a fresh load has: of a table with a window, the newest."""
    if spec.window is None or spec.order is None:
        return dict(rows)
    order = spec.order
    newest = sorted(rows.items(), key=lambda item: (getattr(item[1], order), item[0]), reverse=True)
    return dict(newest[: spec.window])


def held_by_engine(engine: Engine, me: Somebody | None) -> Tables:
    """Return the rows that the engine holds for this person; tables they may not read are empty."""
    shown = engine.tables(me.user_id if me else None)
    return {
        spec.name: _loaded(spec, shown[spec.name].rows) if spec.name in shown else {} for spec in ALL_SPECS
    }


def held_by_store(store: Store) -> Tables:
    """Return the rows that a store holds."""
    return {spec.name: _loaded(spec, store.moment.tables[spec.name].rows) for spec in ALL_SPECS}


def difference(expected: Tables, held: Tables) -> str:
    """Describe the rows that differ; empty when none does."""
    return "\n".join(
        f"{table} {key}: should be {rows.get(key)}, is {held[table].get(key)}"
        for table, rows in expected.items()
        for key in rows.keys() | held[table].keys()
        if rows.get(key) != held[table].get(key)
    )

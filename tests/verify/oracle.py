"""What a person should see: the rows that the database gives them now, read afresh, past the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast as typed

from db.auth import SignedIn
from db.clients import Clients
from live.changes import Key, Record
from live.engine import Engine
from live.store import Store
from live.tables import AnySpec
from realtime_handlers import ALL_SPECS

Rows = Mapping[Key, object]
Tables = Mapping[str, Rows]

_PAGE = 1000


def fresh_load(clients: Clients, me: SignedIn | None) -> Tables:
    """Read every table as this person."""
    return {spec.name: _read(clients, me, spec) for spec in ALL_SPECS}


def _read(clients: Clients, me: SignedIn | None, spec: AnySpec) -> Rows:
    query = clients.table(spec.name, me.access_token() if me else None).select("*").limit(_PAGE)
    records = typed(
        "list[Record]", (query.order(spec.order, desc=True) if spec.order else query).execute().data
    )
    assert spec.window or len(records) < _PAGE, "The comparison would be of a part only."
    return _loaded(spec, {spec.key_of(record): spec.parse(record) for record in records})


def _loaded(spec: AnySpec, rows: Rows) -> Rows:
    """Keep what a fresh load has: the newest rows of a table that is loaded in part."""
    if spec.window is None or spec.order is None:
        return dict(rows)
    order = spec.order
    newest = sorted(rows.items(), key=lambda item: (getattr(item[1], order), item[0]), reverse=True)
    return dict(newest[: spec.window])


def held_by_engine(engine: Engine, me: SignedIn | None) -> Tables:
    """Return what the engine shows this person; tables they may not read are empty."""
    shown = engine.tables(me.user_id if me else None)
    return {
        spec.name: _loaded(spec, shown[spec.name].rows) if spec.name in shown else {} for spec in ALL_SPECS
    }


def held_by_store(store: Store) -> Tables:
    """Return what a store on its own holds."""
    return {spec.name: _loaded(spec, store.moment.tables[spec.name].rows) for spec in ALL_SPECS}


def difference(expected: Tables, held: Tables) -> str:
    """Say, table by table, what is not the same; empty when nothing is."""
    return "\n".join(
        f"{table} {key}: should be {rows.get(key)}, is {held[table].get(key)}"
        for table, rows in expected.items()
        for key in rows.keys() | held[table].keys()
        if rows.get(key) != held[table].get(key)
    )

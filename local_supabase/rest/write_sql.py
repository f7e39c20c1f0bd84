"""The statements of writes: insert, upsert, update, delete, each with what it returns read back from it."""

# Names in these strings come from `identifier` and `qualified`, values from `Parameters`; the only other SQL
# is a column's default expression, as the catalog has it.
# ruff: noqa: S608

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from local_supabase.rest.catalog import JSON, JSONB, Column, Name, Table
from local_supabase.rest.media import Format
from local_supabase.rest.payload import Rows
from local_supabase.rest.preferences import Resolution
from local_supabase.rest.read_sql import RESPONSE, ROW, ReadWriter, body
from local_supabase.rest.sql import SOURCE, Parameters, comma, identifier, qualified
from local_supabase.rest.tree import Node, Placed

_INSERTED: Final = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)"
# Counts in a setting, as a statement has no other way to tell inserted from updated rows: up for every row
# that is tried, down again for every one that becomes an update. Both comparisons always hold.
_TRIED: Final = f"set_config('pgrst.inserted', ({_INSERTED} + 1)::text, true) <> '0'"
_UPDATED: Final = f"set_config('pgrst.inserted', ({_INSERTED} - 1)::text, true) <> '-1'"


@dataclass(frozen=True, slots=True)
class Conflict:
    """What an upsert does, and on which columns."""

    resolution: Resolution
    columns: tuple[str, ...]


def record_set(
    parameters: Parameters, rows: Rows, columns: list[Column], *, defaults: bool, first: bool = False
) -> str:
    """Write a FROM item `pgrst_body` with the rows of a JSON body, typed as the columns are."""
    kind = JSONB if defaults else JSON
    prefix = "jsonb" if defaults else "json"
    source = f"(SELECT {parameters.cast(rows.json, kind)} AS json_data) pgrst_payload"
    value = "pgrst_payload.json_data"
    if defaults:
        source += f", {_with_defaults(rows, columns)}"
        value = "pgrst_json_defs.val"
    if not columns:
        # `{}` and `[{}, {}]` are rows with no column given.
        items = "(VALUES (1)) _" if rows.single else f"{prefix}_array_elements({value}) _"
        return f"{source}, LATERAL (SELECT FROM {items}) pgrst_body"
    function = f"{prefix}_to_record" if rows.single else f"{prefix}_to_recordset"
    typed = comma([f"{identifier(column.name)} {qualified(_given_type(column))}" for column in columns])
    names = comma([_read_value(column) for column in columns])
    limit = " LIMIT 1" if first else ""
    return f"{source}, LATERAL (SELECT {names} FROM {function}({value}) AS _({typed}){limit}) pgrst_body"


def _given_type(column: Column) -> Name:
    return column.type.name if column.type.from_json is None else JSON


def _read_value(column: Column) -> str:
    name = identifier(column.name)
    read = column.type.from_json
    return name if read is None else f"{qualified(read)}({name}) AS {name}"


def _with_defaults(rows: Rows, columns: list[Column]) -> str:
    pairs = [f"{_literal(column.name)}, {column.default}" for column in columns if column.default is not None]
    defaults = f"jsonb_build_object({comma(pairs)})"
    if rows.single:
        return f"LATERAL (SELECT {defaults} || pgrst_payload.json_data AS val) pgrst_json_defs"
    return (
        f"LATERAL (SELECT coalesce(jsonb_agg({defaults} || elem), '[]') AS val "
        "FROM jsonb_array_elements(pgrst_payload.json_data) elem) pgrst_json_defs"
    )


def _literal(name: str) -> str:
    # A column's own name, from the catalog.
    escaped = name.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def insert(
    writer: ReadWriter,
    table: Table,
    rows: Rows,
    columns: list[Column],
    returning: list[str],
    *,
    conflict: Conflict | None = None,
    defaults: bool = False,
    key_conditions: list[Placed] | None = None,
    body_node: Node | None = None,
) -> str:
    """Write an insert; with `key_conditions`, which hold on `body_node`, it is the single upsert of a PUT."""
    names = [identifier(column.name) for column in columns]
    listed = f"({comma(names)}) " if names else ""
    selected = comma([f"pgrst_body.{name}" for name in names])
    source = record_set(writer.parameters, rows, columns, defaults=defaults)
    text = f"INSERT INTO {qualified(table.name)} {listed}SELECT {selected} FROM {source}"
    merges = conflict is not None and conflict.resolution is Resolution.MERGE
    conditions = [_TRIED] if key_conditions or merges else []
    if key_conditions and body_node is not None:
        conditions += writer.conditions(body_node, key_conditions)
    if conditions:
        text += " WHERE " + " AND ".join(conditions)
    if conflict is not None and conflict.columns:
        text += f" ON CONFLICT ({comma([identifier(name) for name in conflict.columns])}) "
        text += _do_update(names) if merges and names else "DO NOTHING"
    return f"{text} {_returning(table, returning)}"


def _do_update(names: list[str]) -> str:
    return f"DO UPDATE SET {comma([f'{name} = EXCLUDED.{name}' for name in names])} WHERE {_UPDATED}"


def update(
    writer: ReadWriter,
    table: Table,
    rows: Rows,
    columns: list[Column],
    returning: list[str],
    conditions: list[Placed],
    target: Node,
    *,
    defaults: bool = False,
) -> str:
    """Write an update; without a column to set nothing is updated, and nothing is an error."""
    if not columns:
        names = comma([_column(target, name) for name in returning]) or "NULL"
        return f"SELECT {names} FROM {qualified(table.name)} WHERE false"
    sets = comma([f"{identifier(c.name)} = pgrst_body.{identifier(c.name)}" for c in columns])
    source = record_set(writer.parameters, rows, columns, defaults=defaults)
    where = " AND ".join(writer.conditions(target, conditions))
    text = f"UPDATE {qualified(table.name)} SET {sets} FROM {source}"
    return f"{text}{' WHERE ' + where if where else ''} {_returning(table, returning)}"


def delete(
    writer: ReadWriter, table: Table, returning: list[str], conditions: list[Placed], target: Node
) -> str:
    """Write a delete."""
    where = " AND ".join(writer.conditions(target, conditions))
    text = f"DELETE FROM {qualified(table.name)}"
    return f"{text}{' WHERE ' + where if where else ''} {_returning(table, returning)}"


def _returning(table: Table, names: list[str]) -> str:
    if not names:
        return "RETURNING 1"
    own = qualified(table.name)
    return "RETURNING " + comma(
        [f"{own}.*" if name == "*" else f"{own}.{identifier(name)}" for name in names]
    )


def _column(target: Node, name: str) -> str:
    return f"{target.reference}.*" if name == "*" else f"{target.reference}.{identifier(name)}"


def returned_columns(root: Node, key: tuple[str, ...]) -> list[str]:
    """Return the columns that the selected ones, and what is embedded, can be read from."""
    names = [item.field.name for item in root.fields]
    needed: list[str] = []
    for child in root.children:
        one = child.relationship
        assert one is not None
        if one.function is not None:
            return ["*"]
        needed += [near for near, _ in (one.junction.columns if one.junction is not None else one.columns)]
    if "*" in names:
        return ["*"]
    ordering = [term.field.name for term in root.order if term.relation is None]
    return sorted({*names, *needed, *key, *ordering})


def statement(
    writer: ReadWriter,
    write: str,
    root: Node,
    form: Format | None,
    *,
    location: tuple[str, ...] = (),
    counts_inserted: bool = False,
) -> str:
    """Write the whole statement: the write, and one row with the count, the location, the body."""
    rows = f"SELECT * FROM {SOURCE}" if form is None else writer.query(root)
    inserted = "nullif(current_setting('pgrst.inserted', true), '')::int" if counts_inserted else "NULL::int"
    return (
        f"WITH {SOURCE} AS ({write}) "
        f"SELECT NULL::int8 AS total, pg_catalog.count({ROW}) AS rows, {body(form)} AS body, {RESPONSE}, "
        f"{inserted} AS inserted, {_location(location)} AS location FROM ({rows}) {ROW}"
    )


def _location(key: tuple[str, ...]) -> str:
    if not key:
        return "NULL::text[]"
    names = comma([_literal(name) for name in key])
    return (
        f"CASE WHEN pg_catalog.count({ROW}) = 1 THEN ("
        f"WITH data AS (SELECT row_to_json(_) AS row FROM {SOURCE} AS _ LIMIT 1) "
        "SELECT array_agg(json_data.key || '=' || coalesce('eq.' || json_data.value, 'is.null')) "
        "FROM data CROSS JOIN json_each_text(data.row) AS json_data "
        f"WHERE json_data.key IN ({names})) END"
    )

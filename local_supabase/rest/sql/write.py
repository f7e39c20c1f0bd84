"""The SQL of writes. A statement writes, then reads the response's body from the rows that it wrote."""

# Names in these strings come from `identifier` and `qualified`, values from `Parameters`. The only other SQL
# is a column's default expression, which comes from the catalog.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from local_supabase.rest.catalog.model import JSON, JSONB, Column, Table
from local_supabase.rest.names import Name
from local_supabase.rest.query.media import Format
from local_supabase.rest.query.payload import Rows
from local_supabase.rest.query.preferences import Resolution
from local_supabase.rest.sql.read import (
    RESPONSE,
    ROW,
    QueryWriter,
    body,
)
from local_supabase.rest.sql.statement import (
    SOURCE,
    Parameters,
    comma,
    identifier,
    qualified,
)
from local_supabase.rest.sql.tree import Node, PlanCondition

_INSERTED: Final = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)"
# A statement cannot tell inserted from updated rows by itself, so it counts in a setting: one up for each row
# that it tries to insert, one down for each row that it updates instead. Both comparisons are always true.
_COUNT_ATTEMPT: Final = f"set_config('pgrst.inserted', ({_INSERTED} + 1)::text, true) <> '0'"
_COUNT_UPDATE: Final = f"set_config('pgrst.inserted', ({_INSERTED} - 1)::text, true) <> '-1'"


@dataclass(frozen=True, slots=True)
class Conflict:
    """What an insert does with rows that violate a unique constraint.

    Arguments:
        resolution: whether it updates or ignores them.
        columns: the columns of the unique constraint; none means any constraint.
    """

    resolution: Resolution
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payload:
    """The rows of a body and the columns that they set.

    Arguments:
        rows: the rows.
        columns: the columns, in the order in which the statement names them.
        defaults: whether a key that a row lacks takes the column's default instead of null.
    """

    rows: Rows
    columns: Sequence[Column]
    defaults: bool = False


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Conditions that all have to hold on the rows of a node."""

    node: Node
    conditions: Sequence[PlanCondition]


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """The table that a statement writes to, and the columns that it returns."""

    table: Table
    returning: list[str]


def record_set(parameters: Parameters, payload: Payload, *, first_row_only: bool = False) -> str:
    """Write a FROM item `pgrst_body` with the rows of a JSON body, typed as the columns are."""
    rows, columns = payload.rows, payload.columns
    prefix = "jsonb" if payload.defaults else "json"
    json = parameters.cast(rows.json, JSONB if payload.defaults else JSON)
    source = f"(SELECT {json} AS json_data) pgrst_payload"
    value = "pgrst_payload.json_data"
    if payload.defaults:
        source += f", {_with_defaults(rows, columns)}"
        value = "pgrst_json_defs.val"
    if not columns:
        # `{}` and `[{}, {}]` are rows that set no column.
        items = "(VALUES (1)) _" if rows.single else f"{prefix}_array_elements({value}) _"
        return f"{source}, LATERAL (SELECT FROM {items}) pgrst_body"
    function = f"{prefix}_to_record" if rows.single else f"{prefix}_to_recordset"
    typed = comma([f"{identifier(column.name)} {qualified(_record_type(column))}" for column in columns])
    names = comma([_record_value(column) for column in columns])
    limit = " LIMIT 1" if first_row_only else ""
    return f"{source}, LATERAL (SELECT {names} FROM {function}({value}) AS _({typed}){limit}) pgrst_body"


def _record_type(column: Column) -> Name:
    return column.type.name if column.type.from_json is None else JSON


def _record_value(column: Column) -> str:
    name = identifier(column.name)
    read = column.type.from_json
    return name if read is None else f"{qualified(read)}({name}) AS {name}"


def _with_defaults(rows: Rows, columns: Sequence[Column]) -> str:
    pairs = [f"{_literal(column.name)}, {column.default}" for column in columns if column.default is not None]
    defaults = f"jsonb_build_object({comma(pairs)})"
    if rows.single:
        return f"LATERAL (SELECT {defaults} || pgrst_payload.json_data AS val) pgrst_json_defs"
    return (
        f"LATERAL (SELECT coalesce(jsonb_agg({defaults} || elem), '[]') AS val "
        "FROM jsonb_array_elements(pgrst_payload.json_data) elem) pgrst_json_defs"
    )


def _literal(name: str) -> str:
    # Only used for the names of columns as the catalog has them, never for text of a caller.
    escaped = name.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def insert(
    writer: QueryWriter,
    target: WriteTarget,
    payload: Payload,
    *,
    conflict: Conflict | None = None,
    only_where: RowFilter | None = None,
) -> str:
    """Write an insert.

    Arguments:
        writer: writes the conditions and takes the values.
        target: the table and the columns to return.
        payload: the rows.
        conflict: what to do with rows that are already there; None refuses them.
        only_where: inserts only rows of the payload for which this holds, as PUT needs it.
    """
    names = [identifier(column.name) for column in payload.columns]
    listed = f"({comma(names)}) " if names else ""
    selected = comma([f"pgrst_body.{name}" for name in names])
    source = record_set(writer.parameters, payload)
    text = f"INSERT INTO {qualified(target.table.name)} {listed}SELECT {selected} FROM {source}"
    merges = conflict is not None and conflict.resolution is Resolution.MERGE
    conditions = [_COUNT_ATTEMPT] if only_where is not None or merges else []
    if only_where is not None:
        conditions += writer.conditions(only_where.node, only_where.conditions)
    if conditions:
        text += " WHERE " + " AND ".join(conditions)
    if conflict is not None and conflict.columns:
        text += f" ON CONFLICT ({comma([identifier(name) for name in conflict.columns])}) "
        text += _do_update(names) if merges and names else "DO NOTHING"
    return f"{text} {_returning(target)}"


def _do_update(names: list[str]) -> str:
    return f"DO UPDATE SET {comma([f'{name} = EXCLUDED.{name}' for name in names])} WHERE {_COUNT_UPDATE}"


def update(writer: QueryWriter, target: WriteTarget, payload: Payload, rows: RowFilter) -> str:
    """Write an update.

    Arguments:
        writer: writes the conditions and takes the values.
        target: the table and the columns to return.
        payload: the new values. Without columns the statement updates nothing and returns no row.
        rows: the rows to update.
    """
    if not payload.columns:
        names = comma([_column(rows.node, name) for name in target.returning]) or "NULL"
        return f"SELECT {names} FROM {qualified(target.table.name)} WHERE false"
    sets = comma([f"{identifier(c.name)} = pgrst_body.{identifier(c.name)}" for c in payload.columns])
    source = record_set(writer.parameters, payload)
    text = f"UPDATE {qualified(target.table.name)} SET {sets} FROM {source}"
    return f"{text}{_where(writer, rows)} {_returning(target)}"


def delete(writer: QueryWriter, target: WriteTarget, rows: RowFilter) -> str:
    """Write a delete of the rows for which the filter holds."""
    return f"DELETE FROM {qualified(target.table.name)}{_where(writer, rows)} {_returning(target)}"


def _where(writer: QueryWriter, rows: RowFilter) -> str:
    conditions = writer.conditions(rows.node, rows.conditions)
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _returning(target: WriteTarget) -> str:
    if not target.returning:
        return "RETURNING 1"
    table = qualified(target.table.name)
    columns = [f"{table}.*" if name == "*" else f"{table}.{identifier(name)}" for name in target.returning]
    return "RETURNING " + comma(columns)


def _column(node: Node, name: str) -> str:
    return f"{node.reference}.*" if name == "*" else f"{node.reference}.{identifier(name)}"


def returned_columns(root: Node, key: tuple[str, ...]) -> list[str]:
    """Return the columns that a write has to return for the body, embedded resources, order and key."""
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
    writer: QueryWriter,
    write: str,
    root: Node,
    form: Format | None,
    *,
    location: tuple[str, ...] = (),
    counts_inserted: bool = False,
) -> str:
    """Write the whole statement, which returns one row with the counts, the location and the body.

    Arguments:
        writer: writes the query of the body.
        write: the SQL of the write.
        root: what the body shows.
        form: the body's format; None is no body.
        location: the key columns for the Location header, if it is wanted.
        counts_inserted: whether the statement counts inserted rows, see `insert`.
    """
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

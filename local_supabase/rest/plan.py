"""From a parsed request and the catalog to the statement that answers it."""

# Names in these strings come from `identifier` and `qualified`, values from `Parameters`.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from local_supabase.rest.call_sql import call, find_routine
from local_supabase.rest.catalog import Catalog, Column, Name, Returns, Routine, Table, Volatility
from local_supabase.rest.errors import (
    bad_preferences,
    max_affected_rpc,
    no_column,
    no_table,
    put_filters,
)
from local_supabase.rest.fuzzy import closest
from local_supabase.rest.media import Format, negotiate
from local_supabase.rest.payload import Rows
from local_supabase.rest.preferences import Count, Missing, Resolution, Return
from local_supabase.rest.read_sql import RESPONSE, ROW, ReadWriter, body
from local_supabase.rest.request import Action, Asked
from local_supabase.rest.sql import SOURCE, identifier, qualified
from local_supabase.rest.syntax import Compare, Condition, Filter
from local_supabase.rest.tree import Branch, Node, Placed, build, place
from local_supabase.rest.write_sql import Conflict, delete, insert, returned_columns, statement, update

_NAME_SCORE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement with its values, and what has to be known of it to run it and to answer."""

    sql: str
    values: tuple[object, ...]
    read_only: bool
    form: Format
    explain: str | None = None
    explain_values: tuple[object, ...] = ()
    table: Table | None = None
    routine: Routine | None = None
    # The statement is refused as the extension `safeupdate` refuses it: a write to every row.
    unfiltered: str | None = None


def make_plan(asked: Asked, catalog: Catalog, max_rows: int) -> Plan:
    """Plan a request for a relation or routine.

    Raises:
        RestError: PGRST105, 108, 118, 122, 123, 128, 200 to 205; 42704.
    """
    match asked.target.action:
        case Action.READ:
            return _read(asked, catalog, max_rows)
        case Action.CALL | Action.CALL_READ:
            return _call(asked, catalog, max_rows)
        case _:
            return _write(asked, catalog)


def find_table(catalog: Catalog, name: Name) -> Table:
    """Return a table that is exposed.

    Raises:
        RestError: PGRST205.
    """
    found = catalog.tables.get(name)
    if found is None:
        names = [known.name for known in catalog.tables if known.schema == name.schema]
        near = closest(names, name.name, at_least=_NAME_SCORE)
        raise no_table(
            name.schema, name.name, f"Perhaps you meant the table '{name.schema}.{near}'" if near else None
        )
    return found


def _check_preferences(asked: Asked) -> None:
    if asked.preferences.strict and asked.preferences.invalid:
        raise bad_preferences(asked.preferences.invalid)


def _root(catalog: Catalog, table: Name, *, from_source: bool) -> Node:
    return Node(
        table,
        catalog.columns_of(table),
        catalog.computed.get(table, {}),
        identifier(table.name) if from_source else qualified(table),
        alias=table.name if from_source else None,
    )


def _read(asked: Asked, catalog: Catalog, max_rows: int) -> Plan:
    table = find_table(catalog, asked.target.name)
    root = _root(catalog, table.name, from_source=False)
    root.window = asked.window
    build(catalog, root, asked.query, filters=True, ranges=True, max_rows=max_rows)
    form = asked.form
    _check_preferences(asked)
    writer = ReadWriter(catalog)
    rows = writer.query(root)
    counting, total = _counting(writer, root, asked, max_rows)
    made = body(None if asked.target.headers_only else form)
    sql = (
        f"WITH {SOURCE} AS ({rows}){counting} "
        f"SELECT {total} AS total, pg_catalog.count({ROW}) AS rows, {made} AS body, {RESPONSE} "
        f"FROM (SELECT * FROM {SOURCE}) {ROW}"
    )
    explain, explain_values = _explaining(catalog, root, asked)
    return Plan(sql, tuple(writer.parameters.values), True, form, explain, explain_values, table)


def _counting(writer: ReadWriter, root: Node, asked: Asked, max_rows: int) -> tuple[str, str]:
    if not asked.preferences.exact_count:
        return "", "NULL::int8"
    # An estimate of a table is exact up to the row limit; beyond it the planner counts.
    estimated = asked.target.action is Action.READ and asked.preferences.count is Count.ESTIMATED
    limit = f" LIMIT {max_rows + 1}" if estimated else ""
    counted = f', "pgrst_source_count" AS ({writer.count(root)}{limit})'
    return counted, '(SELECT pg_catalog.count(*) FROM "pgrst_source_count")'


def _explaining(catalog: Catalog, root: Node, asked: Asked) -> tuple[str | None, tuple[object, ...]]:
    if asked.preferences.count not in {Count.PLANNED, Count.ESTIMATED}:
        return None, ()
    writer = ReadWriter(catalog)
    return f"EXPLAIN (FORMAT JSON) {writer.count(root)}", tuple(writer.parameters.values)


def _call(asked: Asked, catalog: Catalog, max_rows: int) -> Plan:
    arguments = asked.arguments
    assert arguments is not None
    posted = asked.target.action is Action.CALL
    routine = find_routine(catalog, asked.target.name, arguments.keys, asked.content, posted=posted)
    root = _root(catalog, routine.target or routine.name, from_source=True)
    if routine.columns:
        root.columns = routine.columns
    root.window = asked.window
    build(catalog, root, asked.query, filters=True, ranges=True, max_rows=max_rows)
    form = negotiate(asked.accept, routine.media_type if _selects_everything(root) else None)
    _check_preferences(asked)
    if asked.preferences.max_affected is not None and asked.preferences.strict and routine.single:
        raise max_affected_rpc()
    writer = ReadWriter(catalog)
    called = call(writer.parameters, routine, arguments, _called_columns(root))
    rows = writer.query(root)
    counting, total = _counting(writer, root, asked, max_rows)
    silent = asked.target.headers_only or routine.returns is Returns.VOID
    made = body(
        None if silent else form,
        scalar=routine.returns is Returns.SCALAR,
        single=routine.single,
    )
    page = "1::int8" if routine.single else f"pg_catalog.count({ROW})"
    sql = (
        f"WITH {SOURCE} AS ({called}){counting} "
        f"SELECT {total} AS total, {page} AS rows, {made} AS body, {RESPONSE} FROM ({rows}) {ROW}"
    )
    read_only = not posted or routine.volatility is not Volatility.VOLATILE
    return Plan(sql, tuple(writer.parameters.values), read_only, form, routine=routine)


def _selects_everything(root: Node) -> bool:
    return not root.children and [item.field.name for item in root.fields] == ["*"]


def _called_columns(root: Node) -> list[str]:
    # Filters and orders may use columns that are not selected; functions of the row have to be named.
    used = {item.field.name for item in root.fields} | _filtered(root.where)
    used |= {term.field.name for term in root.order if term.relation is None}
    if "*" in used:
        return ["*"]
    return ["*", *sorted(name for name in used if name in root.computed and name not in root.columns)]


def _filtered(placed: Sequence[Placed]) -> set[str]:
    names: set[str] = set()
    for one in placed:
        if isinstance(one, Filter):
            names.add(one.field.name)
        elif isinstance(one, Branch):
            names |= _filtered(one.parts)
    return names


def _write(asked: Asked, catalog: Catalog) -> Plan:
    table = find_table(catalog, asked.target.name)
    root = _root(catalog, table.name, from_source=True)
    build(catalog, root, asked.query, filters=False, ranges=False, max_rows=None)
    returns = asked.preferences.returns
    returning = returned_columns(root, table.key) if returns not in {None, Return.MINIMAL} else []
    writer = ReadWriter(catalog)
    target = _root(catalog, table.name, from_source=False)
    written, unfiltered = _written(asked, writer, table, returning, target)
    _check_preferences(asked)
    form = asked.form
    sql = statement(
        writer,
        written,
        root,
        form if returns is Return.REPRESENTATION else None,
        location=table.key if asked.target.action is Action.INSERT and returns is Return.HEADERS_ONLY else (),
        counts_inserted=_merges(asked),
    )
    return Plan(sql, tuple(writer.parameters.values), False, form, table=table, unfiltered=unfiltered)


def _merges(asked: Asked) -> bool:
    if asked.target.action is Action.UPSERT:
        return True
    return asked.target.action is Action.INSERT and asked.preferences.resolution is Resolution.MERGE


def _written(
    asked: Asked, writer: ReadWriter, table: Table, returning: list[str], target: Node
) -> tuple[str, str | None]:
    defaults = asked.preferences.missing is Missing.DEFAULT
    match asked.target.action:
        case Action.INSERT:
            rows = _rows(asked)
            columns = _columns(table, rows)
            return insert(
                writer, table, rows, columns, returning, conflict=_conflict(asked, table), defaults=defaults
            ), None
        case Action.UPSERT:
            return _upsert(asked, writer, table, returning), None
        case Action.UPDATE:
            rows = _rows(asked)
            columns = _columns(table, rows)
            conditions = _own_conditions(asked)
            text = update(writer, table, rows, columns, returning, conditions, target, defaults=defaults)
            return text, "UPDATE" if columns and not conditions else None
        case _:
            conditions = _own_conditions(asked)
            return delete(writer, table, returning, conditions, target), None if conditions else "DELETE"


def _rows(asked: Asked) -> Rows:
    assert asked.rows is not None
    return asked.rows


def _columns(table: Table, rows: Rows) -> list[Column]:
    columns = []
    for name in sorted(set(rows.keys)):
        column = table.columns.get(name)
        if column is None:
            raise no_column(table.name.name, name)
        columns.append(column)
    return columns


def _conflict(asked: Asked, table: Table) -> Conflict | None:
    resolution = asked.preferences.resolution
    if resolution is None:
        return None
    return Conflict(resolution, asked.query.on_conflict if asked.query.on_conflict is not None else table.key)


def _own_conditions(asked: Asked) -> list[Placed]:
    filters: list[Placed] = [found for path, found in asked.query.filters if not path]
    return filters + [place(tree) for path, tree in asked.query.logic if not path]


def _upsert(asked: Asked, writer: ReadWriter, table: Table, returning: list[str]) -> str:
    filters = [found for path, found in asked.query.filters if not path]
    by_key = asked.query.filter_names == frozenset(table.key) and bool(table.key)
    if asked.query.logic or not by_key or not all(_is_plain_equality(found) for found in filters):
        raise put_filters()
    rows = _rows(asked)
    columns = _columns(table, rows)
    given = Node(table.name, table.columns, {}, "pgrst_body")
    return insert(
        writer,
        table,
        rows,
        columns,
        returning,
        conflict=Conflict(Resolution.MERGE, table.key),
        key_conditions=list(filters),
        body_node=given,
    )


def _is_plain_equality(found: Condition) -> bool:
    if not isinstance(found, Filter) or found.negated or not isinstance(found.operation, Compare):
        return False
    return found.operation.operator == "eq" and found.operation.quantifier is None

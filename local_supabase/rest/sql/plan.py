"""Plans a request: from its parsed form and the catalog to one SQL statement."""

# Names in these strings come from `identifier` and `qualified`, values from `Parameters`.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from local_supabase.rest.catalog.model import Catalog, Column, Returns, Routine, Table, Volatility
from local_supabase.rest.errors import (
    bad_preferences,
    max_affected_rpc,
    no_column,
    no_table,
    put_filters,
)
from local_supabase.rest.fuzzy import closest
from local_supabase.rest.names import Name
from local_supabase.rest.query.media import Format, negotiate
from local_supabase.rest.query.payload import Rows
from local_supabase.rest.query.preferences import (
    Count,
    Missing,
    Resolution,
    Return,
)
from local_supabase.rest.query.request import Action, ApiRequest
from local_supabase.rest.query.syntax import Compare, Condition, Filter
from local_supabase.rest.sql.call import call, find_routine
from local_supabase.rest.sql.read import (
    RESPONSE,
    ROW,
    QueryWriter,
    body,
)
from local_supabase.rest.sql.statement import SOURCE, identifier, qualified
from local_supabase.rest.sql.tree import (
    Node,
    PlanCondition,
    PlanLogic,
    build,
    plan_condition,
)
from local_supabase.rest.sql.write import (
    Conflict,
    Payload,
    RowFilter,
    WriteTarget,
    delete,
    insert,
    returned_columns,
    statement,
    update,
)

_NAME_SCORE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement, and what is needed to run it and to build the response.

    Arguments:
        sql: the statement.
        values: its parameters.
        read_only: whether it runs in a read-only transaction.
        form: the format of the response's body.
        counted: the statement whose rows are the total, if the planner estimates it.
        counted_values: the parameters of `counted`.
        table: the table, of a read or write.
        routine: the function, of a call.
        unfiltered: "UPDATE" or "DELETE" for a write without a filter, which Supabase's `safeupdate` refuses.
    """

    sql: str
    values: tuple[object, ...]
    read_only: bool
    form: Format
    counted: str | None = None
    counted_values: tuple[object, ...] = ()
    table: Table | None = None
    routine: Routine | None = None
    unfiltered: str | None = None


def make_plan(request: ApiRequest, catalog: Catalog, max_rows: int) -> Plan:
    """Plan a request for a relation or routine.

    Raises:
        RestError: PGRST105, 108, 118, 122, 123, 128, 200 to 205; 42704.
    """
    match request.target.action:
        case Action.READ:
            return _read(request, catalog, max_rows)
        case Action.CALL | Action.CALL_READ:
            return _call(request, catalog, max_rows)
        case _:
            return _write(request, catalog)


def find_table(catalog: Catalog, name: Name) -> Table:
    """Return an exposed table.

    Raises:
        RestError: PGRST205, there is no such table.
    """
    found = catalog.tables.get(name)
    if found is None:
        names = [known.name for known in catalog.tables if known.schema == name.schema]
        near = closest(names, name.name, at_least=_NAME_SCORE)
        raise no_table(
            name.schema, name.name, f"Perhaps you meant the table '{name.schema}.{near}'" if near else None
        )
    return found


def _check_preferences(request: ApiRequest) -> None:
    if request.preferences.strict and request.preferences.invalid:
        raise bad_preferences(request.preferences.invalid)


def _root(catalog: Catalog, table: Name, *, from_source: bool) -> Node:
    return Node(
        table,
        catalog.columns_of(table),
        catalog.computed.get(table, {}),
        identifier(table.name) if from_source else qualified(table),
        alias=table.name if from_source else None,
    )


def _read(request: ApiRequest, catalog: Catalog, max_rows: int) -> Plan:
    table = find_table(catalog, request.target.name)
    root = _root(catalog, table.name, from_source=False)
    root.window = request.window
    build(catalog, root, request.query, filters=True, ranges=True, max_rows=max_rows)
    form = request.form
    _check_preferences(request)
    writer = QueryWriter(catalog)
    rows = writer.query(root)
    counting, total = _count_sql(writer, root, request, max_rows)
    made = body(None if request.target.headers_only else form)
    sql = (
        f"WITH {SOURCE} AS ({rows}){counting} "
        f"SELECT {total} AS total, pg_catalog.count({ROW}) AS rows, {made} AS body, {RESPONSE} "
        f"FROM (SELECT * FROM {SOURCE}) {ROW}"
    )
    counted, counted_values = _counted_sql(catalog, root, request)
    return Plan(sql, tuple(writer.parameters.values), True, form, counted, counted_values, table)


def _count_sql(writer: QueryWriter, root: Node, request: ApiRequest, max_rows: int) -> tuple[str, str]:
    if not request.preferences.exact_count:
        return "", "NULL::int8"
    # An estimated total is exact up to the row limit. Above it, the planner estimates.
    estimated = request.target.action is Action.READ and request.preferences.count is Count.ESTIMATED
    limit = f" LIMIT {max_rows + 1}" if estimated else ""
    counted = f', "pgrst_source_count" AS ({writer.count(root)}{limit})'
    return counted, '(SELECT pg_catalog.count(*) FROM "pgrst_source_count")'


def _counted_sql(catalog: Catalog, root: Node, request: ApiRequest) -> tuple[str | None, tuple[object, ...]]:
    if request.preferences.count not in {Count.PLANNED, Count.ESTIMATED}:
        return None, ()
    writer = QueryWriter(catalog)
    return writer.count(root), tuple(writer.parameters.values)


def _call(request: ApiRequest, catalog: Catalog, max_rows: int) -> Plan:
    arguments = request.arguments
    assert arguments is not None
    posted = request.target.action is Action.CALL
    routine = find_routine(catalog, request.target.name, arguments.keys, request.content, posted=posted)
    root = _root(catalog, routine.target or routine.name, from_source=True)
    if routine.columns:
        root.columns = routine.columns
    root.window = request.window
    build(catalog, root, request.query, filters=True, ranges=True, max_rows=max_rows)
    form = negotiate(request.accept, routine.media_type if _selects_everything(root) else None)
    _check_preferences(request)
    if request.preferences.max_affected is not None and request.preferences.strict and routine.single:
        raise max_affected_rpc()
    writer = QueryWriter(catalog)
    called = call(writer.parameters, routine, arguments, _called_columns(root))
    rows = writer.query(root)
    counting, total = _count_sql(writer, root, request, max_rows)
    silent = request.target.headers_only or routine.returns is Returns.VOID
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
    # Filters and orders may use columns that are not selected. `*` does not include computed columns.
    used = {item.field.name for item in root.fields} | _filtered_columns(root.where)
    used |= {term.field.name for term in root.order if term.relation is None}
    if "*" in used:
        return ["*"]
    return ["*", *sorted(name for name in used if name in root.computed and name not in root.columns)]


def _filtered_columns(condition: Sequence[PlanCondition]) -> set[str]:
    names: set[str] = set()
    for one in condition:
        if isinstance(one, Filter):
            names.add(one.field.name)
        elif isinstance(one, PlanLogic):
            names |= _filtered_columns(one.parts)
    return names


def _write(request: ApiRequest, catalog: Catalog) -> Plan:
    table = find_table(catalog, request.target.name)
    root = _root(catalog, table.name, from_source=True)
    build(catalog, root, request.query, filters=False, ranges=False, max_rows=None)
    returns = request.preferences.returns
    returning = returned_columns(root, table.key) if returns not in {None, Return.MINIMAL} else []
    writer = QueryWriter(catalog)
    write, unfiltered = _write_sql(request, catalog, writer, WriteTarget(table, returning))
    _check_preferences(request)
    form = request.form
    sql = statement(
        writer,
        write,
        root,
        form if returns is Return.REPRESENTATION else None,
        location=table.key
        if request.target.action is Action.INSERT and returns is Return.HEADERS_ONLY
        else (),
        counts_inserted=_merges(request),
    )
    return Plan(sql, tuple(writer.parameters.values), False, form, table=table, unfiltered=unfiltered)


def _merges(request: ApiRequest) -> bool:
    if request.target.action is Action.UPSERT:
        return True
    return request.target.action is Action.INSERT and request.preferences.resolution is Resolution.MERGE


def _write_sql(
    request: ApiRequest, catalog: Catalog, writer: QueryWriter, target: WriteTarget
) -> tuple[str, str | None]:
    """Return the SQL of the write, and the statement's name if it is a write to every row."""
    match request.target.action:
        case Action.INSERT:
            return insert(
                writer, target, _payload(request, target.table), conflict=_conflict(request, target.table)
            ), None
        case Action.UPSERT:
            return _upsert(request, writer, target), None
        case Action.UPDATE:
            payload = _payload(request, target.table)
            rows = _rows_to_write(request, catalog, target.table)
            refused = bool(payload.columns) and not rows.conditions
            return update(writer, target, payload, rows), "UPDATE" if refused else None
        case _:
            rows = _rows_to_write(request, catalog, target.table)
            return delete(writer, target, rows), None if rows.conditions else "DELETE"


def _payload(request: ApiRequest, table: Table) -> Payload:
    rows = request.rows
    assert rows is not None
    return Payload(rows, _columns(table, rows), request.preferences.missing is Missing.DEFAULT)


def _columns(table: Table, rows: Rows) -> list[Column]:
    unknown = set(rows.keys) - table.columns.keys()
    if unknown:
        raise no_column(table.name.name, min(unknown))
    return [table.columns[name] for name in sorted(set(rows.keys))]


def _conflict(request: ApiRequest, table: Table) -> Conflict | None:
    resolution = request.preferences.resolution
    if resolution is None:
        return None
    named = request.query.on_conflict
    return Conflict(resolution, table.key if named is None else named)


def _rows_to_write(request: ApiRequest, catalog: Catalog, table: Table) -> RowFilter:
    conditions: list[PlanCondition] = [found for path, found in request.query.filters if not path]
    conditions += [plan_condition(tree) for path, tree in request.query.logic if not path]
    return RowFilter(_root(catalog, table.name, from_source=False), conditions)


def _upsert(request: ApiRequest, writer: QueryWriter, target: WriteTarget) -> str:
    table = target.table
    filters = [found for path, found in request.query.filters if not path]
    by_key = request.query.filter_names == frozenset(table.key) and bool(table.key)
    if request.query.logic or not by_key or not all(_is_plain_equality(found) for found in filters):
        raise put_filters()
    payload = replace(_payload(request, table), defaults=False)
    key_matches = RowFilter(Node(table.name, table.columns, {}, "pgrst_body"), filters)
    conflict = Conflict(Resolution.MERGE, table.key)
    return insert(writer, target, payload, conflict=conflict, only_where=key_matches)


def _is_plain_equality(found: Condition) -> bool:
    if not isinstance(found, Filter) or found.negated or not isinstance(found.operation, Compare):
        return False
    return found.operation.operator == "eq" and found.operation.quantifier is None

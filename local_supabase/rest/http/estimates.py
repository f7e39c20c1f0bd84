"""Totals from the planner, where they tell nothing about rows that the caller may not see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from local_supabase.database import Connection

# A scan of a partition shows the partition's name, while the policies may be those of its parent.
_GUARDED = """
with recursive scanned as (
    select c.oid
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join unnest($1::text[], $2::text[]) as wanted (schema, name) on n.nspname = schema and c.relname = name
    union
    select i.inhparent from scanned join pg_catalog.pg_inherits i on i.inhrelid = scanned.oid
)
select coalesce(bool_or(pg_catalog.row_security_active(oid)), false) from scanned
"""


async def estimate(connection: Connection, counted: str, values: Sequence[object]) -> int:
    """Return how many rows the planner expects of a statement, or how many it has.

    The planner knows all rows, also those of others, so its estimate for a filter tells how many of them
    match. Where row security is active for the caller, the rows are counted instead, unlike in PostgREST.

    Arguments:
        connection: acts as the caller.
        counted: the statement.
        values: its parameters.
    """
    explained = await connection.fetchval(f"EXPLAIN (FORMAT JSON, VERBOSE) {counted}", *values)
    plan = orjson.loads(explained)[0]["Plan"]
    scanned = set(_scanned(plan))
    schemas, names = [schema for schema, _ in scanned], [name for _, name in scanned]
    if not await connection.fetchval(_GUARDED, schemas, names):
        return int(plan["Plan Rows"])
    exact = f"SELECT pg_catalog.count(*) FROM ({counted}) counted"  # noqa: S608  # a statement of sql/
    return int(await connection.fetchval(exact, *values))


def _scanned(plan: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield schema and name of every relation in a plan, also of those under views."""
    if "Relation Name" in plan:
        yield str(plan["Schema"]), str(plan["Relation Name"])
    children = plan.get("Plans", [])
    assert isinstance(children, list)
    for child in children:
        yield from _scanned(child)

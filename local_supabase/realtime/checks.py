"""What only Postgres can tell of filters: whether a column takes one, and comparisons that are its own."""

import re
from collections.abc import Sequence

import asyncpg

from local_supabase.realtime.catalog import Connection, published_tables
from local_supabase.realtime.comparison import CheckedClause
from local_supabase.realtime.subscriptions import Binding, Parameters, SubscriptionError

_CHECK = """
select f.type_oid, t.typname::text as type_name, f.canonical
from _realtime.check_filter($1, $2, $3, $4, $5) as f join pg_type t on t.oid = f.type_oid
"""
_COMPARE = """
select bool_and(coalesce(_realtime.compare(q.operator, q.type_oid, q.value, q.wanted) <> q.negate, false))
from unnest($1::text[], $2::oid[], $3::text[], $4::text[], $5::bool[])
  as q(operator, type_oid, value, wanted, negate)
"""
# Raises for a role that is not there.
_ROLE = "select quote_ident($1)::regrole"
_READABLE = """
select a.attname::text from pg_attribute a
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
  and has_column_privilege($2, a.attrelid, a.attnum, 'SELECT')
"""


class Checker:
    """Checks subscriptions over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def check(self, parameters: Parameters, role: str) -> dict[int, tuple[CheckedClause, ...]]:
        """Return the clauses of a subscription as checked for each table it names.

        Raises `SubscriptionError` with Realtime's message when a role may not subscribe so.
        """
        tables = await published_tables(self._connection, parameters.schema, parameters.table)
        if not tables:
            raise SubscriptionError(
                "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for "
                f"the given connect parameters: {parameters.describe()}"
            )
        try:
            await self._connection.execute(_ROLE, role)
            return {oid: await self._check_table(oid, parameters, role) for oid in tables}
        except asyncpg.PostgresError as error:
            raise SubscriptionError(
                "Unable to subscribe to changes with given parameters. An exception happened so please check "
                f"your connect parameters: {parameters.describe()}. Exception: {_describe(error)}"
            ) from error

    async def recheck(self, oid: int, binding: Binding) -> tuple[CheckedClause, ...] | None:
        """Check a binding in force for one more table; None when it does not fit that table."""
        try:
            return await self._check_table(oid, binding.parameters, binding.subscriber.identity.role)
        except asyncpg.PostgresError:
            return None

    async def _check_table(self, oid: int, parameters: Parameters, role: str) -> tuple[CheckedClause, ...]:
        checked: list[CheckedClause] = []
        for clause in parameters.clauses:
            row = await self._connection.fetchrow(
                _CHECK, oid, role, clause.column, clause.operator.value, clause.value
            )
            assert row is not None
            checked.append(CheckedClause(clause, row["type_oid"], row["type_name"], tuple(row["canonical"])))
        if parameters.select is not None:
            await self._check_select(oid, parameters.select, role)
        return tuple(checked)

    async def _check_select(self, oid: int, select: Sequence[str], role: str) -> None:
        readable = {row[0] for row in await self._connection.fetch(_READABLE, oid, role)}
        missing = next((name for name in select if name not in readable), None)
        if missing is not None:
            raise asyncpg.RaiseError(f"invalid column for select {missing}")

    async def compare(self, pairs: Sequence[tuple[CheckedClause, str]]) -> bool:
        """Tell whether every value passes its clause."""
        passed: bool = await self._connection.fetchval(
            _COMPARE,
            [clause.clause.operator.value for clause, _ in pairs],
            [clause.type_oid for clause, _ in pairs],
            [value for _, value in pairs],
            [clause.clause.value for clause, _ in pairs],
            [clause.clause.negate for clause, _ in pairs],
        )
        return passed


def _describe(error: asyncpg.PostgresError) -> str:
    """Word a database error as the clients of Realtime see it."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).lower()
    if isinstance(error, asyncpg.RaiseError):
        return f"ERROR P0001 (raise_exception) {error}"
    return f"ERROR {error.sqlstate} ({name}) {error}"

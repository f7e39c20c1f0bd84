"""Checks of filters that need Postgres: whether a column takes one, and comparisons by its own rules."""

import re
from collections.abc import Sequence

import asyncpg
import orjson

from local_supabase.realtime.catalog import PUBLICATION, Connection
from local_supabase.realtime.comparison import CheckedClause
from local_supabase.realtime.database import CONNECTION_ERRORS, repeat_if_cancelled
from local_supabase.realtime.filters import Clause
from local_supabase.realtime.patterns import PatternRefusedError
from local_supabase.realtime.patterns import check as check_pattern
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
_CHECK_BINDINGS = "select * from _realtime.check_bindings($1, $2, $3)"
# The state of an exception that a function raises itself.
_RAISED = "P0001"
_READABLE = """
select a.attname::text from pg_attribute a
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
  and has_column_privilege($2, a.attrelid, a.attnum, 'SELECT')
"""


class Checker:
    """Checks subscriptions over one connection of Realtime's login."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def check(
        self, wanted: Sequence[Parameters], role: str
    ) -> list[dict[int, tuple[CheckedClause, ...]]]:
        """Check the bindings of one join with one query.

        Returns for each binding its checked clauses for each table that it names, by oid.

        Raises `SubscriptionError` with Realtime's message when the role may not subscribe with one of them.
        """
        for parameters in wanted:
            try:
                for clause in parameters.clauses:
                    _check_pattern(clause)
            except asyncpg.RaiseError as error:
                raise _excepted(parameters, _RAISED, str(error)) from error
        checked: list[dict[int, tuple[CheckedClause, ...]]] = [{} for _ in wanted]
        for row in await self._connection.fetch(_CHECK_BINDINGS, PUBLICATION, role, _described(wanted)):
            number = row["number"] - 1
            parameters = wanted[number]
            if row["problem"] is not None:
                raise _excepted(parameters, row["problem_state"], row["problem"])
            if row["entity"] is None:
                raise SubscriptionError(
                    "Unable to subscribe to changes with given parameters. Please check Realtime is enabled "
                    f"for the given connect parameters: {parameters.describe()}"
                )
            canonicals = orjson.loads(row["canonicals"])
            checked[number][row["entity"]] = tuple(
                CheckedClause(clause, type_oid, type_name, tuple(canonical))
                for clause, type_oid, type_name, canonical in zip(
                    parameters.clauses, row["type_oids"], row["type_names"], canonicals, strict=True
                )
            )
        return checked

    async def recheck(self, oid: int, binding: Binding) -> tuple[CheckedClause, ...] | None:
        """Check an active binding for one more table; return None when it does not fit that table.

        Raises what says nothing about the binding: one of `CONNECTION_ERRORS`, or after five cancelled
        attempts `asyncpg.QueryCanceledError`.
        """
        role = binding.subscriber.identity.role
        try:
            return await repeat_if_cancelled(lambda: self._check_table(oid, binding.parameters, role))
        except (*CONNECTION_ERRORS, asyncpg.QueryCanceledError):
            raise
        except asyncpg.PostgresError:
            return None

    async def _check_table(self, oid: int, parameters: Parameters, role: str) -> tuple[CheckedClause, ...]:
        checked: list[CheckedClause] = []
        for clause in parameters.clauses:
            _check_pattern(clause)
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
        """Return whether every value passes its clause."""
        passed: bool = await self._connection.fetchval(
            _COMPARE,
            [clause.clause.operator.value for clause, _ in pairs],
            [clause.type_oid for clause, _ in pairs],
            [value for _, value in pairs],
            [clause.clause.value for clause, _ in pairs],
            [clause.clause.negate for clause, _ in pairs],
        )
        return passed


def _check_pattern(clause: Clause) -> None:
    """Refuse a pattern before Postgres sees it, with the error of a function that refuses one."""
    try:
        check_pattern(clause)
    except PatternRefusedError as error:
        raise asyncpg.RaiseError(
            f"invalid pattern for {clause.operator} filter on column {clause.column}: {error}"
        ) from error


def _described(wanted: Sequence[Parameters]) -> str:
    """Return parameters as `_realtime.check_bindings` reads them."""
    return orjson.dumps(
        [
            {
                "schema": parameters.schema,
                "table": parameters.table,
                "clauses": [(c.column, c.operator, c.value) for c in parameters.clauses],
                "select": parameters.select,
            }
            for parameters in wanted
        ]
    ).decode()


def _excepted(parameters: Parameters, state: str, message: str) -> SubscriptionError:
    """Return the refusal for a database error, as Realtime words it."""
    error = type(asyncpg.PostgresError.new({"C": state, "M": message})).__name__.removesuffix("Error")
    name = "raise_exception" if state == _RAISED else re.sub(r"(?<!^)(?=[A-Z])", "_", error).lower()
    return SubscriptionError(
        "Unable to subscribe to changes with given parameters. An exception happened so please check "
        f"your connect parameters: {parameters.describe()}. Exception: ERROR {state} ({name}) {message}"
    )

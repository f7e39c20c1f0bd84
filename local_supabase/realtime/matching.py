"""Decides which filters a change passes, after row security has decided who may see it."""

import time
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from local_supabase.identity import Identity
from local_supabase.realtime.authorization import Counters
from local_supabase.realtime.catalog import Access, Connection
from local_supabase.realtime.changes import RowChange, refused
from local_supabase.realtime.checks import Checker
from local_supabase.realtime.comparison import CheckedClause, Verdict, decide
from local_supabase.realtime.database import CONNECTION_ERRORS, Session
from local_supabase.realtime.filters import Operator
from local_supabase.realtime.pgoutput import UNCHANGED
from local_supabase.realtime.subscriptions import Binding, Operation

# What Postgres decides of one binding and one row. A filter that takes longer ends its binding.
_COMPARE_SECONDS = 1


class FilterFailedError(Exception):
    """A filter that takes too long or raises an error for some row; its binding cannot go on."""


class Matcher:
    """Decides filters; those that need Postgres have a connection of their own, with a time limit.

    Arguments:
        connect: opens a superuser's connection.
        counters: counts what is decided.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], counters: Counters) -> None:
        self._counters = counters
        self._session = Session(connect, counters, _COMPARE_SECONDS)

    def close(self) -> None:
        """Close the database connection."""
        self._session.close()

    async def concerns(self, binding: Binding, change: RowChange, identity: Identity, access: Access) -> bool:
        """Return whether a change may concern a binding, before anybody's rights are known.

        Only comparisons with the subscriber's own id count here: they take the same time for every row, and
        tell nobody about rows of others. Without them, the rights of all subscribers of a table would be
        asked for each row of one of them.
        """
        if not binding.parameters.clauses or identity.user_id is None or refused(change, access):
            return True
        checked = await self.checked(binding, change.table.relation.oid)
        return checked is None or not any(
            _compares_own_id(clause, identity) and not _passes_alone(clause, change) for clause in checked
        )

    def decisions(self, change: RowChange) -> "Decisions":
        """Return the decisions about one change, of which none is made twice."""
        return Decisions(self, change)

    async def checked(self, binding: Binding, oid: int) -> tuple[CheckedClause, ...] | None:
        """Return the clauses of a binding for a table, or None if they do not fit it."""
        if oid not in binding.checked:
            checker = Checker(await self._session.connection())
            binding.checked[oid] = await checker.recheck(oid, binding)
        return binding.checked[oid]

    async def decide(self, checked: tuple[CheckedClause, ...], change: RowChange) -> bool:
        """Return whether a change passes all clauses.

        Raises `FilterFailedError` or the error of Postgres.
        """
        self._counters.filters += 1
        undecided: list[tuple[CheckedClause, str]] = []
        for clause in checked:
            if change.value(clause.clause.column) is UNCHANGED:
                return False
            text = _text(clause, change)
            verdict = decide(clause, text)
            if verdict is Verdict.FAIL:
                return False
            if verdict is Verdict.UNDECIDED and text is not None:
                undecided.append((clause, text))
        return not undecided or await self._compare(undecided)

    async def _compare(self, undecided: Sequence[tuple[CheckedClause, str]]) -> bool:
        checker = Checker(await self._session.connection())
        began = time.monotonic()
        while True:
            try:
                return await checker.compare(undecided)
            except asyncpg.QueryCanceledError as error:
                # Else somebody cancelled it, which says nothing about the filter.
                if time.monotonic() - began >= _COMPARE_SECONDS:
                    raise FilterFailedError("the filter takes too long") from error


class Decisions:
    """What is decided about one change. Bindings with the same filter share one decision.

    Arguments:
        matcher: decides the filters.
        change: the change.
    """

    def __init__(self, matcher: Matcher, change: RowChange) -> None:
        self._matcher = matcher
        self._change = change
        self._made: dict[tuple[CheckedClause, ...], bool | Exception] = {}

    async def passes(self, binding: Binding, identity: Identity, access: Access) -> bool:
        """Return whether the change passes all filters of a binding, whose subscriber may see the row.

        Raises `FilterFailedError` or the error of Postgres.
        """
        change = self._change
        # Filters do not apply to an event that is an error without a row.
        if not binding.parameters.clauses or refused(change, access):
            return True
        checked = await self._matcher.checked(binding, change.table.relation.oid)
        if checked is None:
            return False
        if _is_protected_deletion(change, access) and not all(
            _may_ask_of_deleted(clause, change, identity) for clause in checked
        ):
            return False
        if checked not in self._made:
            self._made[checked] = await self._decide(checked)
        made = self._made[checked]
        if isinstance(made, Exception):
            raise made
        return made

    async def _decide(self, checked: tuple[CheckedClause, ...]) -> bool | Exception:
        try:
            return await self._matcher.decide(checked, self._change)
        except CONNECTION_ERRORS:
            raise
        except (FilterFailedError, asyncpg.PostgresError) as error:
            return error


def _passes_alone(clause: CheckedClause, change: RowChange) -> bool:
    value = change.value(clause.clause.column)
    return value is not UNCHANGED and decide(clause, _text(clause, change)) is not Verdict.FAIL


def _text(clause: CheckedClause, change: RowChange) -> str | None:
    value = change.value(clause.clause.column)
    return None if value is None else str(value)


def _compares_own_id(clause: CheckedClause, identity: Identity) -> bool:
    wanted = clause.clause
    return (
        wanted.operator is Operator.EQ
        and not wanted.negate
        and identity.user_id is not None
        and clause.canonical == (identity.user_id,)
    )


def _is_protected_deletion(change: RowChange, access: Access) -> bool:
    return change.operation is Operation.DELETE and change.table.row_security and not access.bypasses


def _may_ask_of_deleted(clause: CheckedClause, change: RowChange, identity: Identity) -> bool:
    """Return whether a filter may see a column of a deleted row that row security protected.

    The row is gone, so policies may not be able to tell who could see it. Everybody may know the key, which
    the event tells, and whether the row was their own.
    """
    return clause.clause.column in change.table.key or _compares_own_id(clause, identity)

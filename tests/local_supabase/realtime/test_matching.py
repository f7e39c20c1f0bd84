"""Filters that Postgres decides: under a time limit, without rights, and once for each change."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from local_supabase.realtime.authorization import Counters
from local_supabase.realtime.catalog import Table
from local_supabase.realtime.changes import RowChange
from local_supabase.realtime.comparison import CheckedClause
from local_supabase.realtime.filters import Clause, Operator
from local_supabase.realtime.matching import FilterFailedError, Matcher
from local_supabase.realtime.pgoutput import Begin, Column, Identity, Relation
from local_supabase.realtime.subscriptions import Operation
from local_supabase.realtime.values import Encoders
from tests.local_supabase.realtime.conftest import Postgres

TEXT = 25
COLUMN = Column("body", TEXT, -1, in_key=True)
RELATION = Relation(1, "public", "t", Identity.FULL, (COLUMN,))


def inserted(body: str) -> RowChange:
    table = Table(
        RELATION, ("body",), False, True, {"body": "text"}, (Encoders({}).of_column(TEXT),), {"body": 0}
    )
    return RowChange(table, Operation.INSERT, Begin(1, datetime.now(UTC), 1), (body,), None)


def matching(expression: str) -> CheckedClause:
    return CheckedClause(
        Clause("body", Operator.MATCH, expression, negate=False), TEXT, "text", (expression,)
    )


@pytest.fixture
async def matcher(postgres: Postgres) -> AsyncIterator[Matcher]:
    made = Matcher(lambda: asyncpg.connect(postgres.login_dsn), Counters())
    yield made
    made.close()


async def test_a_filter_that_takes_too_long_fails_and_the_next_one_is_decided(matcher: Matcher) -> None:
    # It takes one second, the limit itself: refused when it is subscribed to, it never gets this far.
    slow = matching(r"^(a*)(a*)(a*)b\1\2\3\1x$")
    with pytest.raises(FilterFailedError, match="takes too long"):
        await matcher.decide((slow,), inserted("a" * 2000 + "b" + "a" * 1000 + "x"))
    assert await matcher.decide((matching("^a+$"),), inserted("aaa"))
    assert not await matcher.decide((matching("^b"),), inserted("aaa"))


async def test_code_in_an_operator_runs_without_rights_and_cannot_take_any(sql: asyncpg.Connection) -> None:
    await sql.execute(
        """
        create type public.mood as enum ('sad', 'ok');
        create table public.moods (id int primary key, mood public.mood);
        grant select on public.moods to anon;
        create function public.curious(public.mood, public.mood) returns bool language plpgsql as $$
        begin
          perform set_config('role', 'supabase_admin', true);
          raise exception 'taken by %', current_user;
        exception when others then
          raise exception '% as %', sqlerrm, current_user;
        end $$;
        create operator public.= (leftarg = public.mood, rightarg = public.mood, function = public.curious);
        """
    )
    try:
        with pytest.raises(
            asyncpg.RaiseError,
            match='cannot set parameter "role" within security-definer function as supabase_realtime_filters',
        ):
            await sql.execute(
                "select _realtime.check_filter('public.moods'::regclass, 'anon', 'mood', 'eq', 'ok')"
            )
    finally:
        await sql.execute("drop table public.moods; drop type public.mood cascade")

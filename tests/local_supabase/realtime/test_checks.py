"""The check of new subscriptions in a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from local_supabase.realtime.checks import Checker
from local_supabase.realtime.comparison import CheckedClause
from local_supabase.realtime.database import CONNECTION_ERRORS
from local_supabase.realtime.subscriptions import Binding, Parameters, SubscriptionError, read_parameters
from tests.local_supabase.realtime.client import connect
from tests.local_supabase.realtime.conftest import Postgres, Realtime, token
from tests.local_supabase.realtime.running_fanout import Recorder, wait_for_check
from tests.support.wait import wait_until

MakeTable = Callable[..., Awaitable[str]]


def wanted(table: str, condition: str) -> Parameters:
    return read_parameters({"schema": "public", "table": table, "filter": condition})


async def test_all_bindings_of_a_join_are_checked_with_one_query(
    sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text")
    queries: list[str] = []
    sql.add_query_logger(lambda query: queries.append(query.query))
    many = [wanted(name, f"id=gt.{number},body=in.(a,NULL)") for number in range(100)]
    checked = await Checker(sql).check(many, "anon")
    # The connection reports its queries a turn of the event loop later.
    await wait_until(lambda: queries, what="the query")
    assert len(queries) == 1
    oid = await sql.fetchval("select $1::text::regclass::oid", name)
    assert [list(of_tables) for of_tables in checked] == [[oid]] * 100
    assert [(clause.type_name, clause.canonical) for clause in checked[99][oid]] == [
        ("int4", ("99",)),
        ("text", ("a", None)),
    ]


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("id=eq.x", 'ERROR 22P02 (invalid_text_representation) invalid input syntax for type integer: "x"'),
        ("nothing=eq.1", "ERROR P0001 (raise_exception) invalid column for filter nothing"),
        ("id=eq.\x00", "22P05 (untranslatable_character) unsupported Unicode escape sequence"),
    ],
)
async def test_the_first_binding_that_does_not_fit_is_named(
    sql: asyncpg.Connection, table: MakeTable, condition: str, problem: str
) -> None:
    name = await table("id int primary key")
    with pytest.raises(SubscriptionError) as refusal:
        await Checker(sql).check([wanted(name, "id=eq.1"), wanted(name, condition)], "anon")
    assert problem in str(refusal.value)
    assert wanted(name, condition).describe() in str(refusal.value)


def binding(table: str, condition: str) -> Binding:
    return Binding(1, wanted(table, condition), Recorder(), {})


@asynccontextmanager
async def held_check(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> AsyncIterator[tuple[int, asyncio.Task[tuple[CheckedClause, ...] | None]]]:
    """Begin the check of an active binding, and hold it; provide the backend's process id and the check."""
    await sql.execute(
        "create domain public.held as text check (pg_advisory_xact_lock_shared(52) is not null); "
        "create type public.held_pair as (a public.held)"
    )
    name = await table("id int primary key, pair public.held_pair")
    oid = await sql.fetchval("select $1::text::regclass::oid", name)
    await sql.execute("select pg_advisory_lock(52)")
    asking = await asyncpg.connect(postgres.login_dsn)
    binding = Binding(1, wanted(name, "pair=eq.(x)"), Recorder(), {})
    checking = asyncio.create_task(Checker(asking).recheck(oid, binding))
    try:
        await wait_for_check(sql)
        yield asking.get_server_pid(), checking
    finally:
        asking.terminate()
        await sql.execute("select pg_advisory_unlock_all()")
        await sql.execute("drop type public.held_pair cascade; drop domain public.held cascade")


async def test_a_check_of_an_active_binding_that_somebody_cancels_is_asked_again(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    async with held_check(postgres, sql, table) as (backend, checking):
        await sql.execute("select pg_cancel_backend($1)", backend)
        await sql.execute("select pg_advisory_unlock(52)")
        checked = await checking
    assert checked is not None
    assert checked[0].canonical == ("(x)",)


async def test_a_lost_connection_does_not_count_as_a_filter_that_does_not_fit(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    async with held_check(postgres, sql, table) as (backend, checking):
        await sql.execute("select pg_terminate_backend($1)", backend)
        with pytest.raises(CONNECTION_ERRORS):
            await checking


async def test_a_check_that_takes_long_does_not_delay_that_of_another_socket(
    realtime: Realtime, postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    await sql.execute(
        "create domain public.slow as text check (pg_advisory_xact_lock_shared(51) is not null); "
        "create type public.slow_pair as (a public.slow)"
    )
    slow = await table("id int primary key, pair public.slow_pair")
    name = await table("id int primary key")
    await sql.execute("select pg_advisory_lock(51)")
    blocked = {"schema": "public", "table": slow, "filter": "pair=eq.(x)"}
    async with connect(realtime.url, token()) as hostile, connect(realtime.url, token()) as other:
        for number in range(5):
            await hostile.join(f"room {number}", {"postgres_changes": [blocked]})
        await wait_until(
            lambda: sql.fetchval("select true from pg_locks where locktype = 'advisory' and not granted"),
            what="the check to wait for the lock",
        )
        await other.subscribe("room", {"event": "*", "schema": "public", "table": name})
        held = await asyncpg.connect(postgres.dsn)
        waiting = await held.fetchval(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        )
        await held.close()
        assert waiting == 1
        await sql.execute("select pg_advisory_unlock(51)")
        answers = [(await hostile.event("system"))["payload"]["status"] for _ in range(5)]
        assert answers == ["ok"] * 5
    await sql.execute("drop type public.slow_pair cascade; drop domain public.slow cascade")

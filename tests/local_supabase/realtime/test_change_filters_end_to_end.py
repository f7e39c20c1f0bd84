"""Which changes the filters of a subscription let pass, and which parameters are refused."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg
import pytest

from tests.local_supabase.realtime.client import Client, connect
from tests.local_supabase.realtime.conftest import Realtime, token

MakeTable = Callable[..., Awaitable[str]]


async def rows_told(client: Client, counts: Mapping[int, int]) -> dict[int, set[int]]:
    """Wait until each binding was told of so many rows; return their ids."""
    told: dict[int, set[int]] = {binding: set() for binding in counts}
    while {binding: len(rows) for binding, rows in told.items()} != counts:
        # One message for all bindings, or two: those whose filters take long are told later.
        message = (await client.event("postgres_changes"))["payload"]
        for binding in message["ids"]:
            told[binding].add(message["data"]["record"]["id"])
    return told


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("id=eq.1", True),
        ("id=gt.0", True),
        ("owner=eq.ada", True),
        ("owner=in.(ada)", False),
        ("owner=not.eq.bo", False),
        ("body=eq.secret", False),
        ("body=like.s%", False),
        ("body=match.^s", False),
        ("owner=eq.ada,body=like.s%", False),
    ],
)
async def test_a_filter_of_a_deleted_row_sees_the_key_and_whether_it_was_the_subscribers_own(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable, condition: str, told: bool
) -> None:
    name = await table("id int primary key, owner text, body text", rls=True)
    await sql.execute(f"alter table {name} replica identity full")
    await sql.execute(f"create policy everybody on {name} for select to authenticated using (true)")
    wanted = {"event": "DELETE", "schema": "public", "table": name, "filter": condition}
    async with (
        connect(realtime.url, token("authenticated", sub="ada")) as ada,
        connect(realtime.url, token("service_role")) as service,
    ):
        for client in (ada, service):
            await client.subscribe("room", wanted)
        await sql.execute(f"insert into {name} values (1, 'ada', 'secret')")
        await sql.execute(f"delete from {name}")
        # Whom row security does not apply to may ask anything.
        assert (await service.change())["old_record"] == {"id": 1}
        assert bool(await ada.settle()) is told


async def test_filters_are_not_decided_for_those_who_may_not_see_the_row(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text", rls=True)
    await sql.execute(f"create policy nothing on {name} for select to authenticated using (false)")
    wanted = {"event": "INSERT", "schema": "public", "table": name, "filter": "body=match.^Yes"}
    async with (
        connect(realtime.url, token("authenticated", sub="eve")) as eve,
        connect(realtime.url, token("service_role")) as service,
    ):
        await eve.subscribe("room", wanted, wanted | {"filter": "body=like.Yes%"})
        await service.subscribe("room", wanted)
        await sql.execute(f"insert into {name} values (1, 'Yes, at 8')")
        assert (await service.change())["record"] == {"id": 1, "body": "Yes, at 8"}
        assert await eve.settle() == []
    assert realtime.server.services.changes.fanout.counters.filters == 1


@pytest.mark.parametrize(
    ("condition", "matching"),
    [
        ("id=eq.2", {2}),
        ("id=neq.2", {1, 3, 4}),
        ("id=not.eq.2", {1, 3, 4}),
        ("id=gt.1,id=lt.4", {2, 3}),
        ("id=gte.2,id=lte.3", {2, 3}),
        ("id=in.(1,3)", {1, 3}),
        ("id=not.in.(1,3)", {2, 4}),
        ("status=eq.open", {2}),
        ("status=in.(open,done)", {2, 3}),
        ("status=like.%n%", {2, 3}),
        ("status=not.like.%n%", {1}),
        ("status=ilike.OP%", {2}),
        ("status=match.^[do]", {2, 3}),
        ("status=imatch.^CL", {1}),
        ("status=gt.d", {2, 3}),
        ("status=is.null", {4}),
        ("status=not.is.null", {1, 2, 3}),
        ("status=isdistinct.open", {1, 3, 4}),
        ("status=not.isdistinct.open", {2}),
        ("paid=is.true", {1}),
        ("paid=not.is.true", {2, 3, 4}),
        ("paid=is.unknown", {4}),
        ("price=eq.1.50", {1}),
        ("price=lt.10", {1, 2}),
        ("at=gte.2026-01-02T00:00:00Z", {2, 3}),
        ('tags=eq."{a,b}"', {1}),
        ('note=eq."a, b"', {1}),
        ('note=in.("a, b",c)', {1, 2}),
    ],
)
async def test_a_filter_passes_what_postgres_would(
    client: Client, sql: asyncpg.Connection, table: MakeTable, condition: str, matching: set[int]
) -> None:
    name = await table(
        "id int primary key, status text, paid bool, price numeric, at timestamptz, tags text[], note text"
    )
    filtered, every = await client.subscribe(
        "room", {"event": "INSERT", "schema": "public", "table": name, "filter": condition}, {"table": name}
    )
    await sql.execute(
        f"insert into {name} values "
        "(1, 'closed', true, 1.5, '2026-01-01', '{a,b}', 'a, b'), "
        "(2, 'open', false, 9, '2026-01-02', '{}', 'c'), "
        "(3, 'done', false, 10, '2026-01-03', '{b}', 'd'), "
        "(4, null, null, null, null, null, null)"
    )
    told = await rows_told(client, {every: 4, filtered: len(matching)})
    assert told[filtered] == matching


@pytest.mark.parametrize(
    ("condition", "matching"),
    [
        ("c=eq.ab", {1}),
        ("c=neq.ab", {2}),
        ("c=in.(ab,xyz)", {1, 2}),
        ("c=eq.xyzz", set()),
        ("c=gt.b", {2}),
        ("c=like.a%", {1}),
        ("bits=eq.1010", {1}),
        ("bits=eq.1", set()),
        ("bits=in.(1010,0000)", {1, 2}),
        ("bits=lt.1000", {2}),
        ("short=eq.abcd", set()),
        ("code=eq.ab", {1}),
        ("code=like.x%", {2}),
        ("price=eq.1.234", set()),
        ('codes=eq."{ab,cd}"', {1}),
    ],
)
async def test_a_value_is_compared_at_its_full_length(
    client: Client, sql: asyncpg.Connection, table: MakeTable, condition: str, matching: set[int]
) -> None:
    await sql.execute("create domain code as char(3)")
    try:
        name = await table(
            "id int primary key, c char(3), bits bit(4), short varchar(3), code code, price numeric(5, 2), "
            "codes char(3)[]"
        )
        filtered, every = await client.subscribe(
            "room",
            {"event": "INSERT", "schema": "public", "table": name, "filter": condition},
            {"table": name},
        )
        await sql.execute(
            f"insert into {name} values (1, 'ab', '1010', 'abc', 'ab', 1.23, '{{ab,cd}}'), "
            "(2, 'xyz', '0000', 'x', 'xyz', 9, '{}')"
        )
        told = await rows_told(client, {every: 2, filtered: len(matching)})
        assert told[filtered] == matching
    finally:
        await sql.execute("drop domain code cascade")


async def test_a_filter_of_a_delete_needs_a_column_of_the_replica_identity(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, status text")
    by_id, _by_status = await client.subscribe(
        "room",
        {"event": "DELETE", "schema": "public", "table": name, "filter": "id=eq.1"},
        {"event": "DELETE", "schema": "public", "table": name, "filter": "status=eq.open"},
    )
    await sql.execute(f"insert into {name} values (1, 'open'), (2, 'open')")
    await sql.execute(f"delete from {name}")
    message = await client.event("postgres_changes")
    assert message["payload"]["ids"] == [by_id]
    assert await client.settle() == []


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            {"event": "INSERT"},
            "No subscription params provided. Please provide at least a `schema` or `table`",
        ),
        ({"schema": "public", "table": "nowhere"}, "Please check Realtime is enabled for the given connect"),
        ({"schema": "public", "table": "{t}", "filter": "nothing=eq.1"}, "invalid column for filter nothing"),
        ({"schema": "public", "table": "{t}", "filter": "id=eq.x"}, "invalid input syntax for type integer"),
        (
            {"schema": "public", "table": "{t}", "filter": "id=like.1"},
            "operator like is not supported on column",
        ),
        (
            {"schema": "public", "table": "{t}", "filter": "undefined"},
            'Error parsing `filter` params: ["undefined"]',
        ),
        (
            {"schema": "public", "table": "{t}", "filter": "id=foo.1"},
            'Error parsing `filter` params: ["foo", "1"]',
        ),
        (
            {"schema": "public", "table": "{t}", "filter": "id=is.true"},
            "is true filter requires a boolean column",
        ),
        (
            {"schema": "public", "table": "{t}", "filter": "note=match.(a)\\1"},
            "invalid pattern for match filter on column note: back references are not supported",
        ),
        (
            {"schema": "public", "table": "{t}", "filter": "note=like.%x\\"},
            "LIKE pattern must not end with escape character",
        ),
        ({"schema": "public", "table": "{t}", "select": ["no"]}, "invalid column for select no"),
        (
            {"schema": "public", "select": ["id"]},
            "Column selection is not supported for wildcard subscriptions.",
        ),
    ],
)
async def test_a_refused_subscription_is_reported_and_the_channel_stays(
    client: Client, table: MakeTable, wanted: dict[str, object], message: str
) -> None:
    name = await table("id int primary key, note text")
    if wanted.get("table") == "{t}":
        wanted = {**wanted, "table": name}
    reply = await client.join("room", {"postgres_changes": [wanted]})
    assert reply["payload"]["status"] == "ok"
    system = await client.event("system")
    assert message in system["payload"].pop("message")
    assert system["payload"] == {"extension": "postgres_changes", "status": "error", "channel": "room"}
    ref = await client.send("realtime:room", "presence", {"event": "track", "payload": {}})
    assert (await client.reply_to(ref))["payload"]["status"] == "ok"


@pytest.mark.parametrize(
    "wanted",
    [
        {"filter": "id=eq.1); drop table {t}; --"},
        {"filter": "id=in.(1); drop table {t}; --)"},
        {"filter": "id; drop table {t}; --=eq.1"},
        {"filter": "body=eq.'; drop table {t}; --\""},
        {"filter": "body=match.'; drop table {t}; --("},
        {"select": ["id; drop table {t}; --"]},
        {"table": "{t}; drop table {t}; --"},
        {"schema": "public; drop table {t}; --"},
    ],
)
async def test_sql_in_parameters_is_only_text(
    client: Client, sql: asyncpg.Connection, table: MakeTable, wanted: dict[str, Any]
) -> None:
    name = await table("id int primary key, body text", rls=True)
    filled = json.loads(json.dumps(wanted).replace("{t}", name))
    await client.join("room", {"postgres_changes": [{"schema": "public", "table": name, **filled}]})
    await client.event("system")
    await sql.execute(f"insert into {name} values (1, 'x')")
    assert await client.settle() == []
    assert await sql.fetchval(f"select count(*) from {name}") == 1

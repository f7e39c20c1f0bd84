"""Changes of the database as a client of the wire protocol sees them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from tests.local_supabase.realtime.client import Client, connect
from tests.local_supabase.realtime.conftest import Realtime, token

MakeTable = Callable[..., Awaitable[str]]


async def changes(client: Client, count: int) -> list[dict[str, Any]]:
    return [await client.change() for _ in range(count)]


async def test_a_committed_row_arrives_as_the_protocol_says(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text, price numeric")
    (binding,) = await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})

    await sql.execute(f"insert into {name} values (1, 'hello', 1.10)")

    message = await client.event("postgres_changes")
    data = message["payload"]["data"]
    assert message["topic"] == "realtime:room"
    assert message["ref"] is None
    assert message["payload"]["ids"] == [binding]
    assert data.pop("commit_timestamp").endswith("Z")
    assert data == {
        "schema": "public",
        "table": name,
        "type": "INSERT",
        "columns": [
            {"name": "id", "type": "int4"},
            {"name": "body", "type": "text"},
            {"name": "price", "type": "numeric"},
        ],
        "record": {"id": 1, "body": "hello", "price": 1.10},
        "errors": None,
    }


async def test_version_2_carries_the_same_event_in_an_array(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    async with connect(realtime.url, token(), "2.0.0") as client:
        (binding,) = await client.subscribe("room", {"event": "*", "schema": "public", "table": name})
        await sql.execute(f"insert into {name} values (1)")
        message = await client.event("postgres_changes")
    assert (message["join_ref"], message["ref"], message["topic"]) == (None, None, "realtime:room")
    assert message["payload"]["ids"] == [binding]
    assert message["payload"]["data"]["record"] == {"id": 1}


async def test_an_update_tells_the_old_key_and_a_delete_only_that(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text")
    await client.subscribe("room", {"event": "*", "schema": "public", "table": name})

    await sql.execute(f"insert into {name} values (1, 'a')")
    await sql.execute(f"update {name} set body = 'b'")
    await sql.execute(f"update {name} set id = 2")
    await sql.execute(f"delete from {name}")

    insert, update, moved, delete = await changes(client, 4)
    assert insert["type"] == "INSERT"
    assert "old_record" not in insert
    assert (update["record"], update["old_record"]) == ({"id": 1, "body": "b"}, {"id": 1})
    assert (moved["record"], moved["old_record"]) == ({"id": 2, "body": "b"}, {"id": 1})
    assert (delete["type"], delete["old_record"]) == ("DELETE", {"id": 2})
    assert "record" not in delete


async def test_a_full_replica_identity_tells_the_whole_old_row(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text")
    await sql.execute(f"alter table {name} replica identity full")
    await client.subscribe("room", {"event": "*", "schema": "public", "table": name})

    await sql.execute(f"insert into {name} values (1, 'a')")
    await sql.execute(f"update {name} set body = 'b'")
    await sql.execute(f"delete from {name}")

    _, update, delete = await changes(client, 3)
    assert update["old_record"] == {"id": 1, "body": "a"}
    assert delete["old_record"] == {"id": 1, "body": "b"}


async def test_with_row_security_a_delete_tells_the_key_to_everybody(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text", rls=True)
    await sql.execute(f"alter table {name} replica identity full")
    await client.subscribe("room", {"event": "*", "schema": "public", "table": name})

    await sql.execute(f"insert into {name} values (1, 'a')")
    await sql.execute(f"update {name} set body = 'b'")
    await sql.execute(f"delete from {name}")

    (delete,) = await changes(client, 1)
    assert (delete["type"], delete["old_record"]) == ("DELETE", {"id": 1})
    assert await client.settle() == []


async def test_rows_are_shown_to_whom_policies_allow(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, owner text", rls=True)
    await sql.execute(
        f"create policy own on {name} for select to authenticated "
        "using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub')"
    )
    async with (
        connect(realtime.url, token("authenticated", sub="ada")) as ada,
        connect(realtime.url, token("authenticated", sub="bo")) as bo,
        connect(realtime.url, token("service_role")) as service,
    ):
        for client in (ada, bo, service):
            await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
        await sql.execute(f"insert into {name} values (1, 'ada'), (2, 'bo'), (3, 'ada')")

        assert [data["record"]["id"] for data in await changes(ada, 2)] == [1, 3]
        assert [data["record"]["id"] for data in await changes(bo, 1)] == [2]
        assert [data["record"]["id"] for data in await changes(service, 3)] == [1, 2, 3]
        assert await ada.settle() == []
        assert await bo.settle() == []


async def test_a_policy_that_fails_for_one_caller_hides_the_row_from_that_caller_only(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(
        f"create policy odd on {name} for select to authenticated "
        "using ((current_setting('request.jwt.claims', true)::json ->> 'sub')::int > 0)"
    )
    async with (
        connect(realtime.url, token("authenticated", sub="no number")) as odd,
        connect(realtime.url, token("authenticated", sub="7")) as even,
    ):
        for client in (odd, even):
            await client.subscribe("room", {"event": "*", "schema": "public", "table": name})
        await sql.execute(f"insert into {name} values (1)")
        assert (await even.change())["record"] == {"id": 1}
        assert await odd.settle() == []


async def test_one_check_for_each_identity_and_change_however_many_subscribe(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(f"create policy everybody on {name} for select to authenticated using (true)")
    ada, bo = token("authenticated", sub="ada"), token("authenticated", sub="bo")
    wanted = {"event": "*", "schema": "public", "table": name}
    async with (
        connect(realtime.url, ada) as one,
        connect(realtime.url, ada) as two,
        connect(realtime.url, bo) as three,
    ):
        for client in (one, two, three):
            await client.subscribe("a", wanted)
            await client.subscribe("b", wanted, wanted | {"event": "INSERT"})
        await sql.execute(f"insert into {name} select generate_series(1, 10)")
        for client in (one, two, three):
            await changes(client, 20)

    fanout = realtime.server.services.changes.fanout
    assert fanout.counters.checks == 2 * 10
    assert fanout.counters.queries == 1
    assert fanout.events_written == 10


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
    await client.subscribe(
        "room", {"event": "INSERT", "schema": "public", "table": name, "filter": condition}, {"table": name}
    )
    await sql.execute(
        f"insert into {name} values "
        "(1, 'closed', true, 1.5, '2026-01-01', '{a,b}', 'a, b'), "
        "(2, 'open', false, 9, '2026-01-02', '{}', 'c'), "
        "(3, 'done', false, 10, '2026-01-03', '{b}', 'd'), "
        "(4, null, null, null, null, null, null)"
    )
    messages = [await client.event("postgres_changes") for _ in range(4)]
    passed = {m["payload"]["data"]["record"]["id"] for m in messages if len(m["payload"]["ids"]) == 2}
    assert passed == matching


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


async def test_one_message_names_all_bindings_of_a_channel_that_match(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    ids = await client.subscribe(
        "room",
        {"event": "*", "schema": "public", "table": name},
        {"event": "insert", "schema": "public", "table": name},
        {"event": "UPDATE", "schema": "public", "table": name},
    )
    await sql.execute(f"insert into {name} values (1)")
    message = await client.event("postgres_changes")
    assert sorted(message["payload"]["ids"]) == sorted(ids[:2])
    assert await client.settle() == []


async def test_select_trims_the_record_to_its_columns_and_the_key(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, a text, b text")
    wanted = {"event": "INSERT", "schema": "public", "table": name}
    whole, trimmed = await client.subscribe("room", wanted, {**wanted, "select": ["b"]})
    await sql.execute(f"insert into {name} values (1, 'a', 'b')")

    messages = [await client.event("postgres_changes") for _ in range(2)]
    records = {m["payload"]["ids"][0]: m["payload"]["data"]["record"] for m in messages}
    columns = {m["payload"]["ids"][0]: m["payload"]["data"]["columns"] for m in messages}
    assert records == {whole: {"id": 1, "a": "a", "b": "b"}, trimmed: {"id": 1, "b": "b"}}
    assert [column["name"] for column in columns[trimmed]] == ["id", "b"]


async def test_wildcards_hear_every_published_table(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    first = await table("id int primary key")
    async with connect(realtime.url, token()) as by_schema, connect(realtime.url, token()) as by_star:
        await by_schema.subscribe("room", {"event": "*", "schema": "public"})
        await by_star.subscribe("room", {"event": "*", "schema": "*", "table": "*"})
        second = await table("id int primary key")
        hidden = await table("id int primary key", publish=False)
        for name in (hidden, first, second):
            await sql.execute(f"insert into {name} values (1)")
        for client in (by_schema, by_star):
            assert [data["table"] for data in await changes(client, 2)] == [first, second]


async def test_columns_a_role_may_not_read_are_left_out(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, open text, secret text")
    await sql.execute(f"revoke all on {name} from anon")
    await sql.execute(f"grant select (id, open) on {name} to anon")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values (1, 'a', 'b')")
    data = await client.change()
    assert data["record"] == {"id": 1, "open": "a"}
    assert [column["name"] for column in data["columns"]] == ["id", "open"]


async def test_a_grant_counts_from_the_next_change_on(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, secret text")
    await sql.execute(f"revoke all on {name} from anon")
    await sql.execute(f"grant select (id) on {name} to anon")
    await client.subscribe("room", {"event": "*", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values (1, 'a')")
    assert (await client.change())["record"] == {"id": 1}
    await sql.execute(f"grant select on {name} to anon")
    await sql.execute(f"update {name} set secret = 'b'")
    assert (await client.change())["record"] == {"id": 1, "secret": "b"}


async def test_without_the_right_to_read_the_key_there_is_only_an_error(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text")
    await sql.execute(f"revoke all on {name} from anon")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values (1, 'a')")
    data = await client.change()
    assert data["errors"] == ["Error 401: Unauthorized"]
    assert (data["schema"], data["table"], data["type"]) == ("public", name, "INSERT")
    assert (data["record"], data["columns"], data["commit_timestamp"]) == ({}, [], None)


async def test_a_table_without_a_key_gives_only_an_error(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("body text")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values ('a')")
    data = await client.change()
    assert data["errors"] == ["Error 400: Bad Request, no primary key"]
    assert data["record"] == {}


async def test_of_a_row_that_is_too_large_only_small_values_are_told(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, small text, large text")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values (1, 'a', repeat('x', 1100000))")
    data = await client.change()
    assert data["errors"] == ["Error 413: Payload Too Large"]
    assert data["record"] == {"id": 1, "small": "a"}


async def test_an_untouched_large_value_is_taken_from_the_old_row_if_the_log_has_it(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, n int, large text")
    await sql.execute(f"alter table {name} alter large set storage external")
    await sql.execute(f"insert into {name} values (1, 1, repeat('x', 20000))")
    await client.subscribe("room", {"event": "UPDATE", "schema": "public", "table": name})

    await sql.execute(f"update {name} set n = 2")
    assert (await client.change())["record"] == {"id": 1, "n": 2}
    await sql.execute(f"alter table {name} replica identity full")
    await sql.execute(f"update {name} set n = 3")
    assert (await client.change())["record"] == {"id": 1, "n": 3, "large": "x" * 20000}


async def test_changes_come_in_the_order_of_their_commits(
    client: Client, postgres: Any, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    other = await asyncpg.connect(postgres.dsn)
    late = other.transaction()
    await late.start()
    await other.execute(f"insert into {name} values (1)")
    await sql.execute(f"insert into {name} values (2)")
    await late.commit()
    await other.close()
    assert [data["record"]["id"] for data in await changes(client, 2)] == [2, 1]


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
        ({"schema": "public", "table": "{t}", "select": ["no"]}, "invalid column for select no"),
        (
            {"schema": "public", "select": ["id"]},
            "Column selection is not supported for wildcard subscriptions.",
        ),
    ],
)
async def test_what_cannot_be_subscribed_to_is_told_and_the_channel_stays(
    client: Client, table: MakeTable, wanted: dict[str, object], message: str
) -> None:
    name = await table("id int primary key")
    if wanted.get("table") == "{t}":
        wanted = {**wanted, "table": name}
    reply = await client.join("room", {"postgres_changes": [wanted]})
    assert reply["payload"]["status"] == "ok"
    system = await client.event("system")
    assert message in system["payload"].pop("message")
    assert system["payload"] == {"extension": "postgres_changes", "status": "error", "channel": "room"}
    ref = await client.send("realtime:room", "presence", {"event": "track", "payload": {}})
    assert (await client.reply_to(ref))["payload"]["status"] == "ok"


async def test_a_role_that_is_not_there_cannot_subscribe(realtime: Realtime, table: MakeTable) -> None:
    name = await table("id int primary key")
    async with connect(realtime.url, token("nobody at all")) as client:
        await client.join("room", {"postgres_changes": [{"schema": "public", "table": name}]})
        system = await client.event("system")
    assert system["payload"]["message"].endswith(
        'Exception: ERROR 42704 (undefined_object) role "nobody at all" does not exist'
    )


async def test_every_type_arrives_as_postgres_itself_would_write_it(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    await sql.execute("create type pair as (a int, b text); create type mood as enum ('sad', 'ok')")
    await sql.execute("create domain percent as numeric check (value <= 100)")
    name = await table(
        """id int primary key, i8 int8, f8 float8, num numeric, yes bool, t text, at timestamptz, d date,
        time time, span interval, u uuid, j json, jb jsonb, ints int[], texts text[], nested int[][],
        jsons jsonb[], p pair, m mood, pct percent, r int4range, net inet, bc timestamp, big numeric,
        nan float8,
        pairs pair[], stamps timestamptz[], empty text"""
    )
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(
        f"""insert into {name} values (1, 9007199254740993, 1e21, 1.50, true, 'a"b\\c',
        '2026-02-03 04:05:06.7+02',
        '2026-02-03', '04:05', '1 day 2 hours', '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', '{{"a": [1, 2]}}',
        '{{"b": null}}', '{{1,null,3}}', array['a,b', 'c"d', null, 'NULL', ''], '{{{{1,2}},{{3,4}}}}',
        array['{{"x": 1}}'::jsonb], row(1, 'x,"y"'), 'ok', 12.5, '[1,5)', '10.0.0.1', '0044-03-15 BC', 1e30,
        'NaN',
        array[row(1, 'a')::pair, row(null, '')::pair], array['2026-01-01 00:00+00'::timestamptz], '')"""
    )
    expected = await sql.fetchval(f"select to_jsonb(x)::text from {name} x")
    message = await client.event("postgres_changes")
    assert message["payload"]["data"]["record"] == json.loads(expected)
    await sql.execute(f"drop table {name} cascade")
    await sql.execute("drop type pair, mood; drop domain percent")
    await sql.execute(f"create table {name} ()")


async def test_bytes_arrive_as_hex_without_a_prefix(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, data bytea")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values (1, '\\x0102ff')")
    assert (await client.change())["record"] == {"id": 1, "data": "0102ff"}


async def test_odd_names_are_no_obstacle(client: Client, sql: asyncpg.Connection) -> None:
    name = 'odd "table"; drop'
    quoted = '"odd ""table""; drop"'
    await sql.execute(f'create table {quoted} ("the id" int, "b""c" text, primary key ("the id", "b""c"))')
    await sql.execute(f"alter table {quoted} enable row level security")
    await sql.execute(f"create policy all_ on {quoted} using (true); grant select on {quoted} to anon")
    await sql.execute(f"alter publication supabase_realtime add table {quoted}")
    wanted = {"event": "*", "schema": "public", "table": name, "filter": "the id=eq.1"}
    await client.subscribe("room", wanted)
    await sql.execute(f"insert into {quoted} values (1, 'it''s')")
    assert (await client.change())["record"] == {"the id": 1, 'b"c': "it's"}
    await sql.execute(f"drop table {quoted}")


async def test_a_generated_column_is_part_of_the_record(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, twice int generated always as (id * 2) stored")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values (4)")
    assert (await client.change())["record"] == {"id": 4, "twice": 8}


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


@pytest.mark.parametrize("claim", ["role", "sub"])
async def test_sql_in_claims_is_only_text(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable, claim: str
) -> None:
    name = await table("id int primary key, owner text", rls=True)
    await sql.execute(f"create policy own on {name} using (owner = auth.jwt() ->> 'sub')")
    claims = {"role": "authenticated", "sub": "ada", claim: f"x'; drop table {name}; --"}
    async with connect(realtime.url, token(claims["role"], sub=claims["sub"])) as client:
        await client.join("room", {"postgres_changes": [{"schema": "public", "table": name}]})
        await client.event("system")
        await sql.execute(f"insert into {name} values (1, 'ada')")
        assert await client.settle() == []

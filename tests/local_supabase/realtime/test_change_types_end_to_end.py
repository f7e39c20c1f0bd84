"""How values of every type and size arrive."""

import json
from collections.abc import Awaitable, Callable

import asyncpg

from tests.local_supabase.realtime.client import Client

MakeTable = Callable[..., Awaitable[str]]


async def test_of_a_row_that_is_too_large_only_small_values_are_sent(
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


async def test_every_type_arrives_as_postgres_itself_would_write_it(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    await sql.execute("create type pair as (a int, b text); create type mood as enum ('sad', 'ok')")
    await sql.execute("create domain percent as numeric check (value <= 100)")
    await sql.execute("create domain digest as bytea; create type keyed as (key bytea)")
    name = await table(
        """id int primary key, i8 int8, f8 float8, num numeric, yes bool, t text, at timestamptz, d date,
        time time, span interval, u uuid, j json, jb jsonb, ints int[], texts text[], nested int[][],
        jsons jsonb[], p pair, m mood, pct percent, r int4range, net inet, bc timestamp, big numeric,
        nan float8,
        pairs pair[], stamps timestamptz[], empty text, keys bytea[], dig digest, keyed keyed"""
    )
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(
        f"""insert into {name} values (1, 9007199254740993, 1e21, 1.50, true, 'a"b\\c',
        '2026-02-03 04:05:06.7+02',
        '2026-02-03', '04:05', '1 day 2 hours', '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', '{{"a": [1, 2]}}',
        '{{"b": null}}', '{{1,null,3}}', array['a,b', 'c"d', null, 'NULL', ''], '{{{{1,2}},{{3,4}}}}',
        array['{{"x": 1}}'::jsonb], row(1, 'x,"y"'), 'ok', 12.5, '[1,5)', '10.0.0.1', '0044-03-15 BC', 1e30,
        'NaN',
        array[row(1, 'a')::pair, row(null, '')::pair], array['2026-01-01 00:00+00'::timestamptz], '',
        array['\\x00ff'::bytea], '\\x01', row('\\x02'::bytea))"""
    )
    expected = await sql.fetchval(f"select to_jsonb(x)::text from {name} x")
    message = await client.event("postgres_changes")
    assert message["payload"]["data"]["record"] == json.loads(expected)
    await sql.execute(f"drop table {name} cascade")
    await sql.execute("drop type pair, mood, keyed; drop domain percent, digest")
    await sql.execute(f"create table {name} ()")


async def test_bytes_arrive_as_hex_without_a_prefix(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, data bytea")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values (1, '\\x0102ff')")
    assert (await client.change())["record"] == {"id": 1, "data": "0102ff"}


async def test_names_that_need_quoting_work(client: Client, sql: asyncpg.Connection) -> None:
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

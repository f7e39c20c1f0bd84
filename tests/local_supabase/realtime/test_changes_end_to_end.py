"""Changes of the database as a client of the wire protocol sees them."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from tests.local_supabase.realtime.client import Client, connect
from tests.local_supabase.realtime.conftest import Realtime, token

MakeTable = Callable[..., Awaitable[str]]


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


async def test_an_update_has_the_old_key_and_a_delete_only_that(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text")
    await client.subscribe("room", {"event": "*", "schema": "public", "table": name})

    await sql.execute(f"insert into {name} values (1, 'a')")
    await sql.execute(f"update {name} set body = 'b'")
    await sql.execute(f"update {name} set id = 2")
    await sql.execute(f"delete from {name}")

    insert, update, moved, delete = await client.changes(4)
    assert insert["type"] == "INSERT"
    assert "old_record" not in insert
    assert (update["record"], update["old_record"]) == ({"id": 1, "body": "b"}, {"id": 1})
    assert (moved["record"], moved["old_record"]) == ({"id": 2, "body": "b"}, {"id": 1})
    assert (delete["type"], delete["old_record"]) == ("DELETE", {"id": 2})
    assert "record" not in delete


async def test_with_full_replica_identity_the_whole_old_row_is_sent(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text")
    await sql.execute(f"alter table {name} replica identity full")
    await client.subscribe("room", {"event": "*", "schema": "public", "table": name})

    await sql.execute(f"insert into {name} values (1, 'a')")
    await sql.execute(f"update {name} set body = 'b'")
    await sql.execute(f"delete from {name}")

    _, update, delete = await client.changes(3)
    assert update["old_record"] == {"id": 1, "body": "a"}
    assert delete["old_record"] == {"id": 1, "body": "b"}


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


async def test_wildcards_match_every_published_table(
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
            assert [data["table"] for data in await client.changes(2)] == [first, second]


async def test_a_table_without_a_key_gives_only_an_error(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("body text")
    await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
    await sql.execute(f"insert into {name} values ('a')")
    data = await client.change()
    assert data["errors"] == ["Error 400: Bad Request, no primary key"]
    assert data["record"] == {}


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
    assert [data["record"]["id"] for data in await client.changes(2)] == [2, 1]

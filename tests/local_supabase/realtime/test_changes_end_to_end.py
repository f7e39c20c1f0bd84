"""Changes of the database as a client of the wire protocol sees them."""

from collections.abc import Awaitable, Callable

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


async def test_an_update_tells_the_old_key_and_a_delete_only_that(
    client: Client, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text")
    await client.subscribe("room", {"event": "*", "schema": "public", "table": name})

    await sql.execute(f"insert into {name} values (1, 'a')")
    await sql.execute(f"update {name} set body = 'b'")
    await sql.execute(f"delete from {name}")

    assert (await client.change())["type"] == "INSERT"
    update = await client.change()
    assert (update["type"], update["record"], update["old_record"]) == (
        "UPDATE",
        {"id": 1, "body": "b"},
        {"id": 1},
    )
    delete = await client.change()
    assert delete["type"] == "DELETE"
    assert delete["old_record"] == {"id": 1}
    assert "record" not in delete


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

        assert [(await ada.change())["record"]["id"] for _ in range(2)] == [1, 3]
        assert (await bo.change())["record"]["id"] == 2
        assert [(await service.change())["record"]["id"] for _ in range(3)] == [1, 2, 3]
        assert await ada.settle() == []
        assert await bo.settle() == []


async def test_filters_pass_what_matches(client: Client, sql: asyncpg.Connection, table: MakeTable) -> None:
    name = await table("id int primary key, status text")
    first, second = await client.subscribe(
        "room",
        {"event": "INSERT", "schema": "public", "table": name, "filter": "id=eq.2"},
        {"event": "INSERT", "schema": "public", "table": name, "filter": "status=in.(open,done)"},
    )

    await sql.execute(f"insert into {name} values (1, 'closed'), (2, 'open'), (3, 'done')")

    messages = [await client.event("postgres_changes") for _ in range(2)]
    seen = {m["payload"]["data"]["record"]["id"]: set(m["payload"]["ids"]) for m in messages}
    assert seen == {2: {first, second}, 3: {second}}
    assert await client.settle() == []

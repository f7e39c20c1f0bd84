"""To whom changes are told: policies, grants and roles."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.local_supabase.realtime.client import Client, connect
from tests.local_supabase.realtime.conftest import Realtime, token

MakeTable = Callable[..., Awaitable[str]]


async def test_with_row_security_a_delete_sends_the_key_to_whom_policies_let_see_the_row(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, owner text, body text", rls=True)
    await sql.execute(f"alter table {name} replica identity full")
    await sql.execute(
        f"create policy own on {name} for select to authenticated "
        "using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub')"
    )
    async with (
        connect(realtime.url, token("authenticated", sub="ada")) as ada,
        connect(realtime.url, token("authenticated", sub="bo")) as bo,
        connect(realtime.url, token()) as visitor,
        connect(realtime.url, token("service_role")) as service,
    ):
        for client in (ada, bo, visitor, service):
            await client.subscribe("room", {"event": "DELETE", "schema": "public", "table": name})
        await sql.execute(f"insert into {name} values (1, 'ada', 'a')")
        await sql.execute(f"delete from {name}")

        for client in (ada, service):
            (delete,) = await client.changes(1)
            assert (delete["type"], delete["old_record"]) == ("DELETE", {"id": 1})
        assert await bo.settle() == []
        assert await visitor.settle() == []


async def test_a_delete_is_told_to_whom_policies_may_have_let_see_the_row_if_they_cannot_be_asked(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text", rls=True)
    await sql.execute(f"create policy few on {name} for select to authenticated using (body like 'a%')")
    async with (
        connect(realtime.url, token("authenticated", sub="ada")) as ada,
        connect(realtime.url, token()) as visitor,
    ):
        for client in (ada, visitor):
            await client.subscribe("room", {"event": "DELETE", "schema": "public", "table": name})
        await sql.execute(f"insert into {name} values (1, 'b')")
        await sql.execute(f"delete from {name}")
        assert (await ada.change())["old_record"] == {"id": 1}
        assert await visitor.settle() == []


async def test_a_policy_that_restricts_is_asked_of_a_delete_if_those_that_permit_cannot_be(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key, body text", rls=True)
    subject = "current_setting('request.jwt.claims', true)::json ->> 'sub'"
    await sql.execute(
        f"create policy few on {name} for select to authenticated using (body like 'a%'); "
        f"create policy even on {name} as restrictive for select to authenticated "
        f"using ({subject} = case id % 2 when 0 then 'even' else 'odd' end); "
        f"create policy visible on {name} as restrictive for select to authenticated using (body <> '')"
    )
    async with (
        connect(realtime.url, token("authenticated", sub="even")) as even,
        connect(realtime.url, token("authenticated", sub="odd")) as odd,
    ):
        for client in (even, odd):
            await client.subscribe("room", {"event": "DELETE", "schema": "public", "table": name})
        await sql.execute(f"insert into {name} values (2, 'b')")
        await sql.execute(f"delete from {name}")
        assert (await even.change())["old_record"] == {"id": 2}
        assert await odd.settle() == []


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

        assert [data["record"]["id"] for data in await ada.changes(2)] == [1, 3]
        assert [data["record"]["id"] for data in await bo.changes(1)] == [2]
        assert [data["record"]["id"] for data in await service.changes(3)] == [1, 2, 3]
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
            await client.changes(20)

    fanout = realtime.server.services.changes.fanout
    assert fanout.counters.checks == 2 * 10
    assert fanout.counters.queries == 1
    assert fanout.events_written == 10


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


async def test_a_role_that_is_not_there_cannot_subscribe(realtime: Realtime, table: MakeTable) -> None:
    name = await table("id int primary key")
    async with connect(realtime.url, token("nobody at all")) as client:
        await client.join("room", {"postgres_changes": [{"schema": "public", "table": name}]})
        system = await client.event("system")
    assert system["payload"]["message"].endswith(
        'Exception: ERROR 42704 (undefined_object) role "nobody at all" does not exist'
    )


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

"""What deletions tell to whom they do not concern, over Realtime of this project's schema."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import asyncpg
import pytest

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.realtime.client import Client, connect
from tests.support.people import Person, sign_up
from tests.support.stack import superuser_url


@pytest.fixture(scope="module")
def people(stack: StackInfo) -> Sequence[Person]:
    return [sign_up(stack, name) for name in ("Writer", "Reader", "Stranger")]


@pytest.fixture
async def sql(stack: StackInfo) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.database_url)
    yield connection
    await connection.close()


async def open_client(stack: StackInfo, opened: AsyncExitStack, token: str) -> Client:
    url = f"{stack.url}/realtime/v1".replace("http", "ws", 1)
    return await opened.enter_async_context(connect(url, token))


def token_of(person: Person) -> str:
    session = person.client.auth.get_session()
    assert session is not None
    return session.access_token


def deletions(*filters: str) -> list[dict[str, object]]:
    wanted: dict[str, object] = {"event": "DELETE", "schema": "public", "table": "private_messages"}
    return [wanted | {"filter": condition} for condition in filters]


async def test_a_deleted_private_message_is_told_to_its_two_parties_only(
    stack: StackInfo, people: Sequence[Person], sql: asyncpg.Connection
) -> None:
    writer, reader, stranger = people
    key = uuid.uuid4()
    questions = (
        f"sender_id=eq.{writer.user_id}",
        f"recipient_id=in.({reader.user_id})",
        f"sender_id=not.eq.{stranger.user_id}",
        f"sender_id=isdistinct.{stranger.user_id}",
        f"id=eq.{key}",
        "body=like.Yes%",
        "body=match.^Yes",
        "body=gte.Yes",
    )
    async with AsyncExitStack() as opened:
        visitor = await open_client(stack, opened, stack.anon_key)
        eve = await open_client(stack, opened, token_of(stranger))
        bo = await open_client(stack, opened, token_of(reader))
        unfiltered = {"event": "DELETE", "schema": "public", "table": "private_messages"}
        visitor_ids = await visitor.subscribe("room", unfiltered, {"event": "*", "schema": "public"})
        await eve.subscribe("room", *deletions(*questions))
        own, _ = await bo.subscribe(
            "room", *deletions(f"recipient_id=eq.{reader.user_id}", f"sender_id=eq.{writer.user_id}")
        )
        assert visitor_ids
        await sql.execute(
            "insert into private_messages (id, sender_id, recipient_id, body) values ($1, $2, $3, 'Yes')",
            key,
            uuid.UUID(writer.user_id),
            uuid.UUID(reader.user_id),
        )
        await sql.execute("delete from private_messages where id = $1", key)

        message = await bo.event("postgres_changes")
        assert message["payload"]["ids"] == [own]
        assert message["payload"]["data"]["old_record"] == {"id": str(key)}
        for curious in (visitor, eve):
            told = [one for one in await curious.settle() if str(key) in str(one)]
            assert told == [], curious


async def test_the_end_of_a_session_is_told_to_its_person_only(
    stack: StackInfo, people: Sequence[Person], sql: asyncpg.Connection
) -> None:
    owner, stranger, _ = people
    key = uuid.uuid4()
    wanted = {"event": "DELETE", "schema": "public", "table": "ended_sessions"}
    async with AsyncExitStack() as opened:
        own = await open_client(stack, opened, token_of(owner))
        eve = await open_client(stack, opened, token_of(stranger))
        for client in (own, eve):
            await client.subscribe("room", wanted)
        await sql.execute(
            "insert into ended_sessions (session_id, user_id) values ($1, $2)", key, uuid.UUID(owner.user_id)
        )
        await sql.execute("delete from ended_sessions where session_id = $1", key)
        assert (await own.change())["old_record"] == {"session_id": str(key)}
        assert [one for one in await eve.settle() if str(key) in str(one)] == []


async def test_deletions_of_every_table_are_kept_from_somebody_who_is_signed_in_only(
    stack: StackInfo, people: Sequence[Person]
) -> None:
    stranger = people[2]
    # With the search path of Realtime's sessions: with another one, statements are parsed again.
    settings = {"search_path": "pg_catalog"}
    realtime = await asyncpg.connect(
        superuser_url(stack.database_url, stack.data_dir), server_settings=settings
    )
    tables = await realtime.fetch(
        """
        select c.oid, c.relname, array(
          select a.attname::text from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and (
            c.relreplident = 'f' or a.attnum = any (i.indkey)
          )
          order by a.attnum
        ) as identity
        from pg_publication_tables p
        join pg_class c on c.oid = format('%I.%I', p.schemaname, p.tablename)::regclass
        left join pg_index i on i.indrelid = c.oid
          and case c.relreplident when 'd' then i.indisprimary else i.indisreplident end
        where p.pubname = 'supabase_realtime' and c.relrowsecurity
          and not exists (
            select from pg_policy o where o.polrelid = c.oid and o.polcmd in ('r', '*')
              and o.polpermissive and pg_get_expr(o.polqual, o.polrelid) = 'true'
          )
        """
    )
    unasked: set[str] = set()
    for table in tables:
        if not await realtime.fetchval(
            "select _realtime.prepare_deleted_visibility('asked', $1, 'authenticated', $2)",
            table["oid"],
            table["identity"],
        ):
            unasked.add(table["relname"])
            continue
        columns = [None] * len(table["identity"])
        seen = await realtime.fetchval(
            "select positions"
            " from _realtime.visible_rows(array['asked'], array['authenticated'], array[$1], $2)",
            json.dumps({"role": "authenticated", "sub": stranger.user_id}),
            json.dumps([columns]),
        )
        if seen:
            unasked.add(table["relname"])
    await realtime.close()
    assert len(tables) > 10
    assert unasked == set()


async def test_a_deleted_campaign_is_told_in_its_tenant_only(
    stack: StackInfo, people: Sequence[Person], sql: asyncpg.Connection
) -> None:
    manager, member, stranger = people
    tenant = f"deleting-{uuid.uuid4().hex[:8]}"
    campaign = await sql.fetchval("select gen_random_uuid()")
    await sql.execute("insert into tenants (id, name) values ($1, $1)", tenant)
    for person, role in ((manager, "manager"), (member, "rater")):
        await sql.execute(
            "insert into rater_profiles (user_id, tenant_id, rater_id, name, role)"
            " values ($1, $2, $3, $3, $3)",
            uuid.UUID(person.user_id),
            tenant,
            role,
        )
    await sql.execute(
        "insert into campaigns (id, tenant_id, brand_id, name, created_by) values ($1, $2, 'b', 't', $3)",
        campaign,
        tenant,
        uuid.UUID(manager.user_id),
    )
    wanted = {"event": "DELETE", "schema": "public", "table": "campaigns"}
    async with AsyncExitStack() as opened:
        clients = [await open_client(stack, opened, token_of(one)) for one in (manager, member, stranger)]
        for client in clients:
            await client.subscribe("room", wanted)
        await sql.execute("delete from campaigns where id = $1", campaign)
        for client in clients[:2]:
            assert (await client.change())["old_record"] == {"id": str(campaign)}
        assert [one for one in await clients[2].settle() if str(campaign) in str(one)] == []

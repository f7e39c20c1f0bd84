"""Private channels by policies, broadcasts from the database, and replays."""

import asyncio
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from local_supabase.realtime.catalog import Pool
from local_supabase.realtime.replay import MessageStore, Replay, ReplayRequest
from tests.local_supabase.realtime.client import Client, connect
from tests.local_supabase.realtime.conftest import Postgres, Realtime, token
from tests.support.wait import wait_until

MakeTable = Callable[..., Awaitable[str]]

HELLO = {"type": "broadcast", "event": "hello", "payload": {"n": 1}}
PRIVATE = {"private": True}


@pytest.fixture
async def policies(sql: asyncpg.Connection) -> AsyncIterator[None]:
    """Let users read rooms named after them, write to those of `writers`, and see presence in `seen:*`."""
    await sql.execute(
        """
        create policy read_own on realtime.messages for select to authenticated using (
          extension = 'broadcast' and realtime.topic() = 'user:' || (auth.jwt() ->> 'sub')
          or extension = 'broadcast' and realtime.topic() like 'writers%'
          or realtime.topic() like 'seen:%'
        );
        create policy write_some on realtime.messages for insert to authenticated with check (
          extension = 'broadcast' and realtime.topic() = 'writers'
          or extension = 'presence' and realtime.topic() like 'seen:%'
          or extension = 'broadcast' and realtime.topic() = 'headers'
             and current_setting('request.headers', true)::json ->> 'x-pass' = 'yes'
        );
        """
    )
    yield
    await sql.execute(
        "drop policy read_own on realtime.messages; drop policy write_some on realtime.messages; "
        "truncate realtime.messages"
    )


@pytest.fixture
async def ada(realtime: Realtime, policies: None) -> AsyncIterator[Client]:
    async with connect(realtime.url, token("authenticated", sub="ada")) as connected:
        yield connected


@pytest.fixture
async def bo(realtime: Realtime, policies: None) -> AsyncIterator[Client]:
    async with connect(realtime.url, token("authenticated", sub="bo")) as connected:
        yield connected


async def test_policies_decide_who_may_join(ada: Client, bo: Client, sql: asyncpg.Connection) -> None:
    assert (await ada.join("user:ada", PRIVATE))["payload"]["status"] == "ok"
    refused = await bo.join("user:ada", PRIVATE)
    reason = "Unauthorized: You do not have permissions to read from this Channel topic: user:ada"
    assert refused["payload"] == {"status": "error", "response": {"reason": reason}}
    assert (await bo.join("user:ada"))["payload"]["status"] == "ok"
    assert await sql.fetchval("select count(*) from realtime.messages") == 0


async def test_policies_decide_who_may_send(ada: Client, bo: Client) -> None:
    for topic in ("writers", "writers-not"):
        for client in (ada, bo):
            await client.join(topic, {**PRIVATE, "broadcast": {"ack": True}})
    sent = await ada.send("realtime:writers", "broadcast", HELLO)
    assert (await ada.reply_to(sent))["payload"]["status"] == "ok"
    assert (await bo.event("broadcast"))["payload"] == HELLO
    await ada.send("realtime:writers-not", "broadcast", HELLO)
    assert await ada.settle() == []
    assert await bo.settle() == []


async def test_presence_is_sent_only_to_those_who_may_read_it(
    ada: Client, bo: Client, realtime: Realtime
) -> None:
    presence = {**PRIVATE, "presence": {"enabled": True, "key": "ada"}}
    await ada.join("seen:1", presence)
    await bo.join("seen:1", presence)
    await ada.event("presence_state")
    ref = await ada.send("realtime:seen:1", "presence", {"event": "track", "payload": {"a": 1}})
    assert (await ada.reply_to(ref))["payload"]["status"] == "ok"
    assert "ada" in (await bo.event("presence_diff"))["payload"]["joins"]

    await ada.join("writers", presence)
    await bo.join("writers", presence)
    ref = await ada.send("realtime:writers", "presence", {"event": "track", "payload": {"a": 1}})
    assert (await ada.reply_to(ref))["payload"]["status"] == "error"


async def test_losing_the_right_to_read_ends_the_channel(ada: Client) -> None:
    await ada.join("user:ada", PRIVATE)
    await ada.send("realtime:user:ada", "access_token", {"access_token": token("authenticated", sub="bo")})
    system = await ada.event("system")
    assert system["payload"]["message"] == (
        "You no longer have permission to read from this Channel topic: user:ada"
    )
    await ada.event("phx_close")


async def test_policies_may_read_the_headers_of_the_handshake(realtime: Realtime, policies: None) -> None:
    async with (
        httpx.AsyncClient(base_url=realtime.http_url) as http,
        connect(realtime.url, token("service_role")) as listener,
    ):
        await listener.join("headers", PRIVATE)
        headers = {"apikey": token("authenticated", sub="x")}
        for extra in ({}, {"x-pass": "yes"}):
            path = "/api/broadcast/headers/events/hello?private=true"
            answer = await http.post(path, json={"pass": bool(extra)}, headers=headers | extra)
            assert answer.status_code == 202
        assert (await listener.event("broadcast"))["payload"]["payload"] == {"pass": True}
        assert await listener.settle() == []


async def test_the_database_broadcasts(ada: Client, realtime: Realtime, sql: asyncpg.Connection) -> None:
    await ada.join("user:ada", PRIVATE)
    await ada.join("user:public")
    async with connect(realtime.url, token("service_role"), "2.0.0") as modern:
        await modern.join("user:ada", {**PRIVATE, "broadcast": {"replication_ready": True}})
        await modern.event("system")
        await sql.execute("select realtime.send('{\"a\": 1}', 'hello', 'user:ada')")
        await sql.execute("select realtime.send('{\"id\": 7}', 'hello', 'user:public', false)")
        await sql.execute("select realtime.send_binary('\\x0102', 'blob', 'user:ada')")

        private = (await ada.event("broadcast"))["payload"]
        assert (private["type"], private["event"], private["payload"]["a"]) == ("broadcast", "hello", 1)
        assert private["payload"]["id"] == private["meta"]["id"]
        public = await ada.event("broadcast")
        assert (public["topic"], public["payload"]["payload"]) == ("realtime:user:public", {"id": 7})
        assert await ada.settle() == []

        frame = await modern.binary()
        metadata = json.dumps({"id": private["meta"]["id"]}, separators=(",", ":")).encode()
        assert frame[:5] == bytes([4, len("realtime:user:ada"), len("hello"), len(metadata), 1])
        blob = await modern.binary()
        assert blob[4] == 0
        assert blob.endswith(b"\x01\x02")


async def test_a_trigger_broadcasts_changes(realtime: Realtime, sql: asyncpg.Connection) -> None:
    await sql.execute(
        """
        create table public.watched (id int primary key, body text);
        create function public.watch() returns trigger language plpgsql as $$
        begin
          perform realtime.broadcast_changes('watch', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
          return null;
        end $$;
        create trigger watch after insert or update or delete on public.watched
          for each row execute function public.watch();
        """
    )
    async with connect(realtime.url, token("service_role")) as client:
        await client.join("watch", {**PRIVATE, "broadcast": {"replication_ready": True}})
        await client.event("system")
        await sql.execute("insert into watched values (1, 'a'); update watched set body = 'b'")
        insert = (await client.event("broadcast"))["payload"]
        update = (await client.event("broadcast"))["payload"]
    assert insert["event"] == "INSERT"
    assert {
        name: insert["payload"][name] for name in ("operation", "table", "schema", "record", "old_record")
    } == {
        "operation": "INSERT",
        "table": "watched",
        "schema": "public",
        "record": {"id": 1, "body": "a"},
        "old_record": None,
    }
    assert update["payload"]["old_record"] == {"id": 1, "body": "a"}
    await sql.execute("drop table public.watched; drop function public.watch(); truncate realtime.messages")


async def test_sending_never_breaks_the_callers_transaction(sql: asyncpg.Connection) -> None:
    await sql.execute("select realtime.send('[1]', 'hello', null)")
    assert await sql.fetchval("select count(*) from realtime.messages") == 0


async def test_a_replay_gives_the_newest_messages_oldest_first(
    ada: Client, realtime: Realtime, sql: asyncpg.Connection
) -> None:
    for n in range(5):
        await sql.execute("select realtime.send(jsonb_build_object('n', $1::int), 'hello', 'user:ada')", n)
    await sql.execute("select realtime.send('{}', 'hello', 'user:bo')")
    await realtime.server.services.changes.wait_live()

    since = int((time.time() - 60) * 1000)
    join = await ada.join("user:ada", {**PRIVATE, "broadcast": {"replay": {"since": since, "limit": 3}}})
    assert join["payload"]["status"] == "ok"
    replayed = [(await ada.event("broadcast"))["payload"] for _ in range(3)]
    assert [message["payload"]["n"] for message in replayed] == [2, 3, 4]
    assert all(message["meta"]["replayed"] is True and message["meta"]["id"] for message in replayed)
    assert await ada.settle() == []


@asynccontextmanager
async def fanout_held_up(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> AsyncIterator[None]:
    """Hold up the fan-out with a row whose policy waits for a lock; later changes queue behind it."""
    name = await table("id int primary key", rls=True)
    await sql.execute(
        f"create policy slow on {name} for select to authenticated "
        "using (pg_advisory_xact_lock_shared(42) is not null)"
    )
    async with connect(realtime.url, token("authenticated", sub="cy")) as subscriber:
        await subscriber.subscribe("slow", {"event": "*", "schema": "public", "table": name})
        await sql.execute("select pg_advisory_lock(42)")
        try:
            await sql.execute(f"insert into {name} values (1)")
            await wait_until(
                lambda: sql.fetchval("select true from pg_locks where locktype = 'advisory' and not granted"),
                what="the fan-out to wait for the lock",
            )
            yield
        finally:
            await sql.execute("select pg_advisory_unlock(42)")
        assert (await subscriber.change())["record"] == {"id": 1}


async def test_a_replay_comes_before_every_later_message_when_the_stream_lags(
    ada: Client, realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    send = "select realtime.send(jsonb_build_object('n', $1::int), 'hello', 'user:ada')"
    async with fanout_held_up(realtime, sql, table):
        for n in range(5):
            await sql.execute(send, n)
        await ada.join("user:ada", {**PRIVATE, "broadcast": {"replay": {"limit": 3}}})
    await sql.execute(send, 5)

    received = [(await ada.event("broadcast"))["payload"]["payload"]["n"] for _ in range(4)]
    assert received == [2, 3, 4, 5]
    assert await ada.settle() == []


class HeldStore(MessageStore):
    """Returns what it read only when it is released."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.has_read = asyncio.Event()
        self.release = asyncio.Event()

    async def recent(self, topic: str, request: ReplayRequest) -> Replay:
        replay = await super().recent(topic, request)
        self.has_read.set()
        await self.release.wait()
        return replay


async def test_a_message_stored_while_the_replay_is_read_follows_it(
    postgres: Postgres, realtime: Realtime, policies: None, sql: asyncpg.Connection
) -> None:
    send = "select realtime.send(jsonb_build_object('n', $1::int), 'hello', 'writers')"
    async with asyncpg.create_pool(postgres.login_dsn, min_size=0) as pool:
        store = HeldStore(pool)
        realtime.server.services = dataclasses.replace(realtime.server.services, store=store)
        key = token("authenticated", sub="ada")
        async with connect(realtime.url, key) as member, connect(realtime.url, key) as late:
            await member.join("writers", {**PRIVATE, "broadcast": {"replication_ready": True}})
            await member.event("system")
            await sql.execute(send, 1)
            await member.event("broadcast")

            joining = asyncio.create_task(late.join("writers", {**PRIVATE, "broadcast": {"replay": {}}}))
            await store.has_read.wait()
            await sql.execute(send, 2)
            await member.event("broadcast")
            store.release.set()

            assert (await joining)["payload"]["status"] == "ok"
            received = [(await late.event("broadcast"))["payload"] for _ in range(2)]
            assert [message["payload"]["n"] for message in received] == [1, 2]
            assert ["replayed" in message["meta"] for message in received] == [True, False]
            assert await late.settle() == []


async def test_a_refused_replay_leaves_the_room(ada: Client, realtime: Realtime) -> None:
    await ada.join("user:ada", {**PRIVATE, "broadcast": {"replay": {"limit": "all"}}})
    assert realtime.server.services.rooms.find("user:ada", private=True) is None


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"private": False}, "Replay is not allowed for public channels"),
        ({"private": True, "since": "yesterday"}, "Replay params are not valid"),
        ({"private": True, "limit": 1.5}, "Replay params are not valid"),
        ({"private": True, "since": 10**30}, "Replay params are not valid"),
    ],
)
async def test_a_replay_that_cannot_be_given_refuses_the_join(
    ada: Client, config: dict[str, object], reason: str
) -> None:
    replay = {name: value for name, value in config.items() if name != "private"}
    reply = await ada.join("user:ada", {"private": config["private"], "broadcast": {"replay": replay}})
    assert reply["payload"]["response"] == {"reason": f"UnableToReplayMessages: {reason}"}


async def test_old_messages_are_deleted(realtime: Realtime, sql: asyncpg.Connection) -> None:
    await sql.execute(
        "insert into realtime.messages (topic, extension, inserted_at) values "
        "('a', 'broadcast', now() - interval '4 days'), ('b', 'broadcast', now())"
    )
    await realtime.server.services.store.delete_older_than(72)
    assert [row["topic"] for row in await sql.fetch("select topic from realtime.messages")] == ["b"]
    await sql.execute("truncate realtime.messages")

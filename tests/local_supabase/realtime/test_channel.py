"""One channel of a running server, on a socket that records what it is sent."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg
import pytest

from local_supabase.identity import Identity, TokenVerifier
from local_supabase.realtime.channel import AdmittedJoin, Channel
from local_supabase.realtime.framing import ClientMessage, Version
from local_supabase.realtime.join import read_join
from local_supabase.realtime.replay import Replay, Snapshot, StoredBroadcast
from local_supabase.realtime.rooms import Frame
from tests.local_supabase.realtime.conftest import SECRET, Realtime, token
from tests.support.wait import wait_until

MakeTable = Callable[..., Awaitable[str]]
HELLO = {"type": "broadcast", "event": "hello", "payload": {}}


class Recorder:
    """A socket that keeps its frames."""

    version = Version.V2
    headers: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.frames: list[list[Any]] = []
        self.removed: list[Channel] = []
        self.close_codes: list[int] = []
        self.checks = asyncio.Lock()

    def send(self, frame: Frame) -> None:
        self.frames.append(json.loads(frame))

    def remove(self, channel: Channel) -> None:
        self.removed.append(channel)

    def disconnect(self, code: int) -> None:
        self.close_codes.append(code)

    @property
    def events(self) -> list[str]:
        """The event of each frame."""
        return [frame[3] for frame in self.frames]

    def payloads(self, event: str) -> list[Any]:
        return [frame[4] for frame in self.frames if frame[3] == event]


@pytest.fixture
def socket() -> Recorder:
    return Recorder()


def identity_of(access_token: str) -> Identity:
    return TokenVerifier(SECRET).verify(access_token)


def joined(
    realtime: Realtime, socket: Recorder, config: object = None, access_token: str | None = None
) -> Channel:
    """Join the public channel `room`; it has not been started."""
    key = access_token or token()
    request = read_join({"config": config or {}})
    join = AdmittedJoin("room", "7", request, key, identity_of(key), None)
    return Channel(realtime.server.services, socket, join)


def message(event: str, payload: object) -> ClientMessage:
    return ClientMessage("7", "8", "realtime:room", event, payload)


def stored(number: int) -> StoredBroadcast:
    return StoredBroadcast(str(number), "stored", f'{{"n": {number}}}', None)


async def test_broadcasts_before_the_start_wait_for_it(realtime: Realtime, socket: Recorder) -> None:
    channel = joined(realtime, socket)
    channel.room.broadcast(HELLO)
    assert socket.frames == []
    channel.start(None)
    assert socket.payloads("broadcast") == [HELLO]
    channel.close()


async def test_a_replay_comes_first_and_what_its_snapshot_saw_never_comes_again(
    realtime: Realtime, socket: Recorder
) -> None:
    channel = joined(realtime, socket)
    older, running, newer = 99, 95, 100
    for xid in (older, running):
        channel.room.broadcast({"xid": xid}, xid=xid)
    channel.start(Replay((stored(1), stored(2)), Snapshot.parse(f"{running}:{newer}:{running}")))
    for xid in (older, newer):
        channel.room.broadcast({"xid": xid}, xid=xid)
    channel.room.broadcast(HELLO)

    replayed, live = socket.payloads("broadcast")[:2], socket.payloads("broadcast")[2:]
    assert [payload["payload"]["n"] for payload in replayed] == [1, 2]
    assert live == [{"xid": running}, {"xid": newer}, HELLO]
    channel.close()


async def test_presence_is_not_sent_before_the_start_and_complete_after_it(
    realtime: Realtime, socket: Recorder
) -> None:
    other = joined(realtime, Recorder(), {"presence": {"enabled": True, "key": "bo"}})
    other.start(None)
    channel = joined(realtime, socket, {"presence": {"enabled": True, "key": "ada"}})
    await other.handle(message("presence", {"event": "track", "payload": {"n": 1}}))
    assert socket.frames == []
    channel.start(None)
    assert [list(state) for state in socket.payloads("presence_state")] == [["bo"]]
    other.close()
    assert [list(diff["leaves"]) for diff in socket.payloads("presence_diff")] == [["bo"]]
    channel.close()


async def test_a_shutdown_sends_the_reason_and_the_close_of_the_join_once(
    realtime: Realtime, socket: Recorder
) -> None:
    channel = joined(realtime, socket)
    channel.start(None)
    channel.shut_down("enough")
    channel.shut_down("enough again")
    system, close = socket.frames
    assert system[3:] == [
        "system",
        {"extension": "system", "status": "error", "message": "enough", "channel": "room"},
    ]
    assert close == ["7", "7", "realtime:room", "phx_close", {}]
    assert socket.removed == [channel]
    assert realtime.server.services.rooms.find("room", private=False) is None


async def test_a_close_is_silent_and_may_be_repeated(realtime: Realtime, socket: Recorder) -> None:
    channel = joined(realtime, socket)
    channel.start(None)
    channel.close()
    channel.close()
    assert socket.frames == []
    assert socket.removed == [channel]
    assert realtime.server.services.rooms.find("room", private=False) is None


async def test_a_crash_lets_the_client_join_again(realtime: Realtime, socket: Recorder) -> None:
    channel = joined(realtime, socket)
    channel.start(None)
    channel.crash()
    assert socket.frames == [["7", "7", "realtime:room", "phx_error", {}]]


async def test_a_channel_ends_with_its_token(realtime: Realtime, socket: Recorder) -> None:
    channel = joined(realtime, socket, access_token=token(lifetime=1))
    channel.start(None)
    await wait_until(lambda: socket.removed, what="the end of the channel")
    assert socket.payloads("system")[0]["message"].startswith("Token has expired ")
    assert (channel.identity.expires_at or 0) <= time.time()


async def test_a_newer_token_extends_the_channel_and_subscribes_again(
    realtime: Realtime, socket: Recorder, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(f"create policy members on {name} for select to authenticated using (true)")
    channel = joined(realtime, socket, {"postgres_changes": [{"schema": "public", "table": name}]})
    channel.start(None)
    await wait_until(lambda: len(socket.payloads("system")) == 1, what="the subscription")
    await channel.handle(message("access_token", {"access_token": token("authenticated")}))
    await wait_until(lambda: len(socket.payloads("system")) == 2, what="the second subscription")

    assert [payload["message"] for payload in socket.payloads("system")] == ["Subscribed to PostgreSQL"] * 2
    assert len(realtime.server.services.changes.subscriptions) == 1
    await sql.execute(f"insert into {name} values (1)")
    await wait_until(lambda: socket.payloads("postgres_changes"), what="the change")
    assert socket.payloads("postgres_changes")[0]["data"]["record"] == {"id": 1}
    channel.close()
    assert len(realtime.server.services.changes.subscriptions) == 0


async def test_a_lost_stream_disconnects_subscribers(
    realtime: Realtime, socket: Recorder, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    channel = joined(realtime, socket, {"postgres_changes": [{"schema": "public", "table": name}]})
    channel.start(None)
    await wait_until(lambda: socket.payloads("system"), what="the subscription")
    await sql.execute(
        "select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null"
    )
    await wait_until(lambda: socket.close_codes, what="the disconnect")
    assert socket.close_codes == [1012]
    channel.close()


async def test_a_sender_receives_its_broadcast_only_on_request(realtime: Realtime) -> None:
    received: dict[bool, list[str]] = {}
    for self_broadcast in (True, False):
        socket = Recorder()
        channel = joined(realtime, socket, {"broadcast": {"self": self_broadcast, "ack": True}})
        channel.start(None)
        await channel.handle(message("broadcast", HELLO))
        received[self_broadcast] = socket.events
        channel.close()
    assert received == {True: ["broadcast", "phx_reply"], False: ["phx_reply"]}

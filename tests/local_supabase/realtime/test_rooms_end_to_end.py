"""Broadcasts and presence between clients, over sockets and HTTP, in both versions of the protocol."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.local_supabase.realtime.client import Client, connect
from tests.local_supabase.realtime.conftest import FAST, Postgres, Realtime, running_realtime, token

HELLO = {"type": "broadcast", "event": "hello", "payload": {"n": 1, "text": "ü"}}


@pytest.fixture
async def other(realtime: Realtime) -> AsyncIterator[Client]:
    async with connect(realtime.url, token()) as connected:
        yield connected


@pytest.fixture
async def modern(realtime: Realtime) -> AsyncIterator[Client]:
    """Return a client of version 2."""
    async with connect(realtime.url, token(), "2.0.0") as connected:
        yield connected


@pytest.fixture
async def http(realtime: Realtime) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=realtime.http_url, headers={"apikey": token()}) as client:
        yield client


def user_broadcast_push(
    topic: str, event: str, payload: bytes, encoding: int, metadata: bytes = b""
) -> bytes:
    parts = [b"1", b"2", topic.encode(), event.encode(), metadata]
    return bytes([3, *(len(part) for part in parts), encoding]) + b"".join(parts) + payload


def user_broadcast(topic: str, event: str, payload: bytes, encoding: int, metadata: bytes = b"") -> bytes:
    parts = [topic.encode(), event.encode(), metadata]
    return bytes([4, *(len(part) for part in parts), encoding]) + b"".join(parts) + payload


async def test_a_broadcast_reaches_the_others_as_it_was_sent(
    client: Client, other: Client, modern: Client
) -> None:
    for member in (client, other, modern):
        await member.join("room")
    await client.send("realtime:room", "broadcast", HELLO)
    message = await other.event("broadcast")
    assert message == {"topic": "realtime:room", "event": "broadcast", "payload": HELLO, "ref": None}
    array = await modern.event("broadcast")
    assert (array["join_ref"], array["ref"], array["payload"]) == (None, None, HELLO)
    assert await client.settle() == []


async def test_the_sender_receives_its_own_message_and_an_answer_on_request(client: Client) -> None:
    await client.join("room", {"broadcast": {"self": True, "ack": "true"}})
    ref = await client.send("realtime:room", "broadcast", HELLO)
    assert (await client.event("broadcast"))["payload"] == HELLO
    assert (await client.reply_to(ref))["payload"] == {"status": "ok", "response": {}}


async def test_public_and_private_rooms_of_one_name_are_two(realtime: Realtime, client: Client) -> None:
    async with connect(realtime.url, token("service_role")) as service:
        await service.join("room", {"private": True})
        await client.join("room")
        await client.send("realtime:room", "broadcast", HELLO)
        await client.settle()
        assert await service.settle() == []


async def test_too_large_a_broadcast_is_dropped_and_reported_on_request(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, max_payload_bytes=200)
    async with (
        running_realtime(postgres, limits) as realtime,
        connect(realtime.url, token()) as client,
        connect(realtime.url, token()) as other,
    ):
        await client.join("room", {"broadcast": {"ack": True}})
        await other.join("room")
        large = {**HELLO, "payload": {"text": "x" * 300}}
        reply = await client.reply_to(await client.send("realtime:room", "broadcast", large))
        assert reply["payload"] == {"status": "error", "response": "payload_size_exceeded"}
        assert await other.settle() == []


async def test_a_binary_broadcast_reaches_clients_that_know_binary(
    client: Client, modern: Client, realtime: Realtime
) -> None:
    await client.join("room")
    await modern.join("room")
    async with connect(realtime.url, token(), "2.0.0") as sender:
        await sender.join("room")
        await sender.websocket.send(
            user_broadcast_push("realtime:room", "blob", b"\x00\xff", 0, b'{"my":"own"}')
        )
        assert await modern.binary() == user_broadcast("realtime:room", "blob", b"\x00\xff", 0)
        assert await client.settle() == []
        await sender.websocket.send(user_broadcast_push("realtime:room", "text", b'{"a": 1}', 1))
        assert await modern.binary() == user_broadcast("realtime:room", "text", b'{"a": 1}', 1)
        message = await client.event("broadcast")
        assert message["payload"] == {"type": "broadcast", "event": "text", "payload": {"a": 1}}


async def test_a_binary_broadcast_is_answered_on_request(modern: Client) -> None:
    await modern.join("room", {"broadcast": {"ack": True}})
    await modern.websocket.send(user_broadcast_push("realtime:room", "blob", b"\x00", 0))
    reply = await modern.reply_to("2")
    assert (reply["join_ref"], reply["payload"]) == ("1", {"status": "ok", "response": {}})


async def test_too_many_messages_end_the_channels_that_receive_them(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, max_messages_per_second=3)
    async with running_realtime(postgres, limits) as realtime, connect(realtime.url, token()) as client:
        await client.join("room", {"broadcast": {"self": True}})
        realtime.server.services.messages.add(10_000)
        await client.send("realtime:room", "broadcast", HELLO)
        system = await client.event("system")
        assert system["payload"]["message"] == "Too many messages per second"
        await client.event("phx_close")


async def test_a_batch_over_http(http: httpx.AsyncClient, client: Client) -> None:
    await client.join("room")
    messages: list[dict[str, Any]] = [
        {"topic": "room", "event": "hello", "payload": {"n": n}} for n in range(2)
    ]
    messages.append({"topic": "room", "event": "secret", "payload": {}, "private": True})
    answer = await http.post("/api/broadcast", json={"messages": messages})
    assert (answer.status_code, answer.content) == (202, b"")
    received = [(await client.event("broadcast"))["payload"] for _ in range(2)]
    assert received == [{"type": "broadcast", "event": "hello", "payload": {"n": n}} for n in range(2)]
    assert await client.settle() == []


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        ({}, 422, {"errors": {"messages": ["can't be blank"]}}),
        ({"messages": 1}, 422, {"errors": {"messages": ["is invalid"]}}),
        (
            {"messages": [{"topic": "", "payload": []}, {"topic": "a", "event": "e", "payload": {}}]},
            422,
            {
                "errors": {
                    "messages": [
                        {"topic": ["can't be blank"], "payload": ["is invalid"], "event": ["can't be blank"]},
                        {},
                    ]
                }
            },
        ),
    ],
)
async def test_a_bad_batch_is_refused(
    http: httpx.AsyncClient, body: dict[str, Any], status: int, answer: dict[str, Any]
) -> None:
    response = await http.post("/api/broadcast", json=body)
    assert (response.status_code, response.json()) == (status, answer)


async def test_http_needs_a_valid_key(realtime: Realtime) -> None:
    async with httpx.AsyncClient(base_url=realtime.http_url) as http:
        for headers in ({}, {"apikey": "nonsense"}, {"authorization": "Bearer nonsense"}):
            answer = await http.post("/api/broadcast", json={"messages": []}, headers=headers)
            assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


async def test_the_rate_limits_http_too(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, max_messages_per_second=2)
    message = {"topic": "a", "event": "e", "payload": {}}
    async with (
        running_realtime(postgres, limits) as realtime,
        httpx.AsyncClient(base_url=realtime.http_url, headers={"apikey": token()}) as http,
    ):
        answer = await http.post("/api/broadcast", json={"messages": [message] * 3})
        reason = "Too many messages to broadcast, please reduce the batch size"
        assert (answer.status_code, answer.json()) == (429, {"message": reason})
        realtime.server.services.messages.add(1000)
        answer = await http.post("/api/broadcast", json={"messages": [message]})
        assert (answer.status_code, answer.json()) == (429, {"message": "You have exceeded your rate limit"})


async def test_a_single_message_over_http_is_json_or_bytes(
    http: httpx.AsyncClient, client: Client, modern: Client
) -> None:
    await client.join("a/room:1")
    await modern.join("a/room:1")
    path = "/api/broadcast/a%2Froom%3A1/events/my%20event"
    assert (await http.post(path, json=[1, "x"])).status_code == 202
    assert (await client.event("broadcast"))["payload"] == {
        "type": "broadcast",
        "event": "my event",
        "payload": [1, "x"],
    }
    assert await modern.binary() == user_broadcast("realtime:a/room:1", "my event", b'[1,"x"]', 1)
    octets = {"content-type": "application/octet-stream"}
    assert (await http.post(path, content=b"\x01\x02", headers=octets)).status_code == 202
    assert await modern.binary() == user_broadcast("realtime:a/room:1", "my event", b"\x01\x02", 0)
    assert (await http.post(path, content=b"x", headers={"content-type": "text/plain"})).status_code == 415
    assert (
        await http.post(path, content=b"{", headers={"content-type": "application/json"})
    ).status_code == 400


async def track(client: Client, payload: object, event: str = "track") -> dict[str, Any]:
    ref = await client.send(
        "realtime:room", "presence", {"type": "presence", "event": event, "payload": payload}
    )
    reply: dict[str, Any] = (await client.reply_to(ref))["payload"]
    return reply


def without_refs(entries: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [{name: value for name, value in meta.items() if name != "phx_ref"} for meta in entry["metas"]]
        for key, entry in entries.items()
    }


async def test_presence_shows_who_is_there_who_joins_and_who_leaves(client: Client, other: Client) -> None:
    await client.join("room", {"presence": {"enabled": True, "key": "ada"}})
    assert (await client.event("presence_state"))["payload"] == {}
    assert await track(client, {"mood": "fine"}) == {"status": "ok", "response": {}}
    diff = (await client.event("presence_diff"))["payload"]
    assert (without_refs(diff["joins"]), diff["leaves"]) == ({"ada": [{"mood": "fine"}]}, {})
    first_ref = diff["joins"]["ada"]["metas"][0]["phx_ref"]

    await other.join("room", {"presence": {"enabled": "true", "key": "bo"}})
    assert without_refs((await other.event("presence_state"))["payload"]) == {"ada": [{"mood": "fine"}]}

    await track(client, {"mood": "better"}, "TRACK")
    diff = (await other.event("presence_diff"))["payload"]
    assert diff["joins"]["ada"]["metas"][0]["phx_ref_prev"] == first_ref
    assert diff["leaves"] == {"ada": {"metas": [{"mood": "fine", "phx_ref": first_ref}]}}
    assert await track(client, {"mood": "better"}) == {"status": "ok", "response": {}}
    assert await other.settle() == []

    await client.send("realtime:room", "phx_leave", {})
    diff = (await other.event("presence_diff"))["payload"]
    assert (diff["joins"], list(diff["leaves"])) == ({}, ["ada"])


async def test_one_key_may_be_present_twice_and_a_lost_socket_leaves(
    realtime: Realtime, client: Client, other: Client
) -> None:
    config = {"presence": {"enabled": True, "key": "ada"}}
    await client.join("room", config)
    await track(client, {"tab": 1})
    async with connect(realtime.url, token()) as second:
        await second.join("room", config)
        await track(second, {"tab": 2})
        await other.join("room", {"presence": {"enabled": True}})
        state = without_refs((await other.event("presence_state"))["payload"])
        assert state == {"ada": [{"tab": 1}, {"tab": 2}]}
    diff = (await other.event("presence_diff"))["payload"]
    assert without_refs(diff["leaves"]) == {"ada": [{"tab": 2}]}


async def test_untracking_leaves(client: Client) -> None:
    await client.join("room", {"presence": {"enabled": True, "key": "ada"}})
    await track(client, {"a": 1})
    await client.event("presence_diff")
    assert await track(client, {}, "untrack") == {"status": "ok", "response": {}}
    diff = (await client.event("presence_diff"))["payload"]
    assert without_refs(diff["leaves"]) == {"ada": [{"a": 1}]}


async def test_a_track_switches_presence_on(client: Client, other: Client) -> None:
    await other.join("room", {"presence": {"key": "bo", "enabled": True}})
    await track(other, {"b": 1})
    await client.join("room", {"presence": {"key": "ada"}})
    assert await client.settle() == []
    await track(client, {"a": 1})
    assert set((await client.event("presence_state"))["payload"]) == {"ada", "bo"}


async def test_what_presence_refuses(client: Client) -> None:
    await client.join("room", {"presence": {"enabled": True}})
    reply = await track(client, [1])
    assert reply == {"status": "error", "response": {"reason": "Presence track payload must be a map"}}
    assert (await track(client, {}, "dance"))["status"] == "error"


async def test_a_client_that_tracks_too_often_loses_its_channel(client: Client) -> None:
    await client.join("room", {"presence": {"enabled": True}})
    for n in range(5):
        await track(client, {"n": n})
    await client.send("realtime:room", "presence", {"event": "track", "payload": {"n": 6}})
    system = await client.event("system")
    assert system["payload"]["message"] == "Client presence rate limit exceeded"
    await client.event("phx_close")


async def test_a_project_with_too_much_presence_loses_the_channel(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, max_presence_per_second=1)
    async with running_realtime(postgres, limits) as realtime, connect(realtime.url, token()) as client:
        await client.join("room", {"presence": {"enabled": True}})
        realtime.server.services.presence.add(1000)
        await client.send("realtime:room", "presence", {"event": "track", "payload": {"n": 1}})
        system = await client.event("system")
        assert system["payload"]["message"] == "Too many presence messages per second"


async def test_a_numeric_key_is_a_key(client: Client) -> None:
    await client.join("room", {"presence": {"enabled": True, "key": 42}})
    await track(client, {"a": 1})
    assert list((await client.event("presence_diff"))["payload"]["joins"]) == ["42"]

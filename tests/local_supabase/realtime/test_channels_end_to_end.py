"""Joining, leaving, tokens and refusals, byte by byte as the protocol has them."""

import dataclasses
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jwt
import pytest
import websockets

from tests.local_supabase.realtime.client import Client, Message, connect
from tests.local_supabase.realtime.conftest import FAST, SECRET, Postgres, Realtime, running_realtime, token

MakeTable = Callable[..., Awaitable[str]]


async def test_a_heartbeat_is_answered(client: Client) -> None:
    ref = await client.send("phoenix", "heartbeat", {})
    reply = await client.reply_to(ref)
    assert reply == {
        "topic": "phoenix",
        "event": "phx_reply",
        "ref": ref,
        "payload": {"status": "ok", "response": {}},
    }


async def test_the_reply_to_a_join_repeats_the_parameters_word_for_word(client: Client) -> None:
    wanted = [
        {"event": "*", "table": "x", "odd": [1, {"a": None}]},
        None,
        {"schema": "public", "event": "INSERT"},
    ]
    reply = await client.join("room", {"postgres_changes": wanted, "broadcast": None, "presence": None})
    assert reply["payload"]["status"] == "ok"
    entries = reply["payload"]["response"]["postgres_changes"]
    ids = [entry.pop("id") for entry in entries]
    assert entries == [wanted[0], wanted[2]]
    assert all(isinstance(number, int) and number >= 1 for number in ids)
    again = await client.join("other", {"postgres_changes": wanted})
    assert [entry["id"] for entry in again["payload"]["response"]["postgres_changes"]] == ids


async def test_leaving_is_answered_and_closes_with_the_reference_of_the_join(client: Client) -> None:
    join = await client.join("room")
    ref = await client.send("realtime:room", "phx_leave", {}, join["ref"])
    messages = await client.settle()
    assert messages == [
        {
            "topic": "realtime:room",
            "event": "phx_reply",
            "ref": ref,
            "payload": {"status": "ok", "response": {}},
        },
        {"topic": "realtime:room", "event": "phx_close", "ref": join["ref"], "payload": {}},
    ]


async def test_leaving_a_topic_that_was_not_joined_succeeds_and_broadcasts_to_it_fail(
    client: Client,
) -> None:
    left = await client.reply_to(await client.send("realtime:room", "phx_leave", {}))
    assert left["payload"] == {"status": "ok", "response": {}}
    lost = await client.reply_to(await client.send("realtime:room", "broadcast", {}))
    assert lost["payload"] == {"status": "error", "response": {"reason": "unmatched topic"}}


async def test_a_second_join_is_answered_before_the_first_channel_closes(client: Client) -> None:
    first = await client.join("room")
    await client.send_as("realtime:room", "phx_join", {"config": {}}, "20", "20")
    reply, close = await client.settle()
    assert isinstance(reply, dict)
    assert isinstance(close, dict)
    assert (reply["event"], reply["ref"]) == ("phx_reply", "20")
    assert (close["event"], close["ref"]) == ("phx_close", first["ref"])
    still = await client.reply_to(
        await client.send("realtime:room", "presence", {"event": "track", "payload": {}})
    )
    assert still["payload"]["status"] == "ok"


async def test_version_2_carries_the_reference_of_the_join(realtime: Realtime) -> None:
    async with connect(realtime.url, token(), "2.0.0") as client:
        join = await client.join("room", {"presence": {"enabled": True}})
        state = await client.event("presence_state")
        ref = await client.send("realtime:room", "phx_leave", {}, join["ref"])
        left = await client.reply_to(ref)
        close = await client.event("phx_close")
    assert (join["join_ref"], join["ref"]) == ("1", "1")
    assert state["join_ref"] == "1"
    assert (left["join_ref"], left["ref"]) == ("1", ref)
    assert (close["join_ref"], close["ref"]) == ("1", "1")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "API key is missing"),
        ("nonsense", "The token provided is not a valid JWT"),
        (
            jwt.encode({"role": "anon", "exp": 4102444800}, "x" * 40, "HS256"),
            "Failed to validate JWT signature",
        ),
        (token(lifetime=-5), "Token has expired"),
        (token(role=""), "Fields `role` and `exp` are required in JWT"),
    ],
)
async def test_a_handshake_is_refused_in_http(realtime: Realtime, key: str, message: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with connect(realtime.url, key):
            pass
    response = refusal.value.response
    assert response.status_code == 401
    assert response.body == f'{{"error":"{message}"}}'.encode()


async def test_a_token_without_expiry_opens_nothing(realtime: Realtime) -> None:
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with connect(realtime.url, jwt.encode({"role": "anon"}, SECRET, "HS256")):
            pass
    assert b"Fields `role` and `exp` are required in JWT" in (refusal.value.response.body or b"")


async def test_the_header_may_carry_the_key(realtime: Realtime) -> None:
    headers = {"x-api-key": token()}
    async with websockets.connect(f"{realtime.url}/websocket", additional_headers=headers) as websocket:
        reply = await Client(websocket, "1.0.0").join("room")
    assert reply["payload"]["status"] == "ok"


@pytest.mark.parametrize(
    ("access_token", "reason"),
    [
        ("nonsense", "MalformedJWT: The token provided is not a valid JWT"),
        (
            jwt.encode({"role": "anon", "exp": 4102444800}, "x" * 40, "HS256"),
            "JwtSignatureError: Failed to validate JWT signature",
        ),
        (token(role=""), "InvalidJWTToken: Fields `role` and `exp` are required in JWT"),
    ],
)
async def test_a_join_with_a_bad_token_is_refused(client: Client, access_token: str, reason: str) -> None:
    reply = await client.join("room", access_token=access_token)
    assert reply["payload"] == {"status": "error", "response": {"reason": reason}}


async def test_a_join_with_an_expired_token_is_refused_with_its_age(client: Client) -> None:
    reply = await client.join("room", access_token=token(lifetime=-3600))
    reason = reply["payload"]["response"]["reason"]
    assert re.fullmatch(r"InvalidJWTToken: Token has expired 36\d\d seconds ago", reason)


async def test_an_api_key_as_access_token_means_the_token_of_the_connection(client: Client) -> None:
    reply = await client.join("room", access_token="sb_publishable_x")
    assert reply["payload"]["status"] == "ok"


async def test_a_topic_needs_a_name(client: Client) -> None:
    reply = await client.join("")
    assert reply["payload"]["response"] == {"reason": "TopicNameRequired: You must provide a topic name"}


async def test_a_refusal_is_delayed_and_does_not_delay_other_joins(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, join_refusal_seconds=0.5)
    async with running_realtime(postgres, limits) as realtime, connect(realtime.url, token()) as client:
        began = time.monotonic()
        await client.send_as("realtime:a", "phx_join", {"access_token": "x"}, "10", "10")
        await client.join("b")
        assert client.received == []
        assert (await client.reply_to("10"))["payload"]["status"] == "error"
        assert time.monotonic() - began >= 0.5


async def test_a_channel_ends_with_its_token_and_the_socket_stays(client: Client) -> None:
    join = await client.join("room", access_token=token(lifetime=4))
    system = await client.event("system")
    assert system["payload"].pop("message").startswith("Token has expired ")
    assert system["payload"] == {"extension": "system", "status": "error", "channel": "room"}
    close = await client.event("phx_close")
    assert close["ref"] == join["ref"]
    assert await client.settle() == []


async def test_a_pushed_token_that_is_bad_ends_the_channel(client: Client) -> None:
    await client.join("room")
    await client.send("realtime:room", "access_token", {"access_token": "nonsense"})
    system = await client.event("system")
    assert system["payload"]["message"] == "The token provided is not a valid JWT"
    assert (await client.event("phx_close"))["topic"] == "realtime:room"


@pytest.mark.parametrize("pushed", [None, "sb_publishable_x", "the same"])
async def test_a_pushed_token_that_changes_nothing_is_ignored(
    realtime: Realtime, client: Client, pushed: str | None
) -> None:
    access_token = token()
    await client.join("room", access_token=access_token)
    new = access_token if pushed == "the same" else pushed
    await client.send("realtime:room", "access_token", {"access_token": new})
    assert await client.settle() == []


async def test_limits_refuse_with_their_messages(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, max_sockets=2, max_channels_per_socket=1)
    async with running_realtime(postgres, limits) as realtime:
        async with connect(realtime.url, token()) as client, connect(realtime.url, token()):
            await client.join("a")
            reply = await client.join("b")
            assert reply["payload"]["response"] == {"reason": "ChannelRateLimitReached: Too many channels"}
            with pytest.raises(websockets.InvalidStatus) as refusal:
                async with connect(realtime.url, token()):
                    pass
        assert refusal.value.response.status_code == 429
        assert refusal.value.response.body == b'{"error":"Too many connected users"}'


async def test_too_many_joins_end_the_connection(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, max_joins_per_second=10)
    async with running_realtime(postgres, limits) as realtime, connect(realtime.url, token()) as client:
        realtime.server.services.joins.add(10_000)
        reply = await client.join("room")
        reason = "ClientJoinRateLimitReached: Too many joins per second"
        assert reply["payload"]["response"] == {"reason": reason}
        assert await client.closed() == 1001


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ([{"table": "t"}] * 4, "3 bindings in a channel"),
        ([{"table": "t"}] * 3, "4 bindings in a connection"),
        ([{"table": "t", "filter": "a=in.(1,2,3,4,5)"}], "4 conditions and values in the filters"),
        ([{"table": "t", "filter": f"a=eq.{'x' * 50}"}], "50 characters in the filters"),
    ],
)
async def test_too_many_bindings_or_filters_are_refused(
    postgres: Postgres, changes: list[Message], what: str
) -> None:
    limits = dataclasses.replace(
        FAST,
        max_bindings_per_channel=3,
        max_bindings_per_socket=4,
        max_filter_terms_per_channel=4,
        max_filter_bytes_per_channel=50,
    )
    async with running_realtime(postgres, limits) as realtime, connect(realtime.url, token()) as client:
        half = await client.join("a", {"postgres_changes": [{"table": "t", "filter": "a=eq.\ud800"}]})
        reason = "The message holds half of a surrogate pair"
        assert half["payload"] == {"status": "error", "response": {"reason": reason}}
        first = await client.join("a", {"postgres_changes": [{"table": "t"}] * 2})
        assert first["payload"]["status"] == "ok"
        reply = await client.join("b", {"postgres_changes": changes})
        assert reply["payload"]["response"] == {"reason": f"PostgresChangesLimitReached: At most {what}"}
        others = await client.join("c")
        assert others["payload"]["status"] == "ok"


async def test_a_project_may_allow_private_channels_only(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, private_only=True)
    async with running_realtime(postgres, limits) as realtime, connect(realtime.url, token()) as client:
        reply = await client.join("a")
        reason = "PrivateOnly: This project only allows private channels"
        assert reply["payload"]["response"] == {"reason": reason}


async def test_a_silent_client_is_closed_normally(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, idle_seconds=0.2)
    async with running_realtime(postgres, limits) as realtime, connect(realtime.url, token()) as client:
        assert await client.closed() == 1000


async def test_replication_readiness_is_reported_on_request(client: Client) -> None:
    await client.join("room", {"broadcast": {"replication_ready": "true"}})
    system = await client.event("system")
    assert system["payload"] == {
        "extension": "system",
        "status": "ok",
        "message": "Replication connection established",
        "channel": "room",
    }


async def test_unknown_events_are_ignored(client: Client) -> None:
    await client.join("room")
    await client.send("realtime:room", "something", {"a": 1})
    assert await client.settle() == []


GARBAGE: list[str | bytes] = [
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "{}",
    '{"topic": 1, "event": "phx_join", "payload": {}, "ref": null}',
    '{"topic": "realtime:x", "event": null, "payload": {}, "ref": "1"}',
    '{"topic": "realtime:x", "event": "phx_join", "payload": {}, "ref": []}',
    '["1", "1", "realtime:x"]',
    "[" * 5000,
    b"",
    b"\x00",
    b"\x03\xff\xff\xff\xff\xff\xff",
    b"\x09abc",
    b"\x03\x00\x00\x01\x01\x00\x07ab",
]


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
async def test_frames_that_are_not_messages_are_ignored(realtime: Realtime, version: str) -> None:
    async with connect(realtime.url, token(), version) as client:
        for frame in GARBAGE:
            await client.websocket.send(frame)
        assert await client.settle() == []


ODD: list[Any] = [None, [], "text", 1, {"config": []}, {"config": {"broadcast": 1, "presence": "x"}}]
ODD_CHANGES: list[Any] = ["x", {}, [1, "a", []], [{"filter": 1}]]
ODD += [{"config": {"postgres_changes": changes}} for changes in ODD_CHANGES]
ODD += [{"config": {"presence": {"key": {}}}}, {"access_token": 5}, {"config": {"broadcast": {"replay": []}}}]


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
async def test_malformed_payloads_get_an_answer_and_break_nothing(realtime: Realtime, version: str) -> None:
    async with connect(realtime.url, token(), version) as client:
        for payload in ODD:
            await client.send_as("realtime:room", "phx_join", payload, "7", "7")
            assert (await client.reply_to("7"))["payload"]["status"] in ("ok", "error")
        await client.join("room")
        for event in ("broadcast", "presence", "access_token", "phx_error", "phx_reply"):
            for payload in ODD:
                await client.send("realtime:room", event, payload)
        await client.settle()
        ref = await client.send("phoenix", "heartbeat", None)
        assert (await client.reply_to(ref))["payload"]["status"] == "ok"


async def test_an_unknown_version_is_refused(realtime: Realtime) -> None:
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with connect(realtime.url, token(), "9.9.9"):
            pass
    assert refusal.value.response.status_code == 403


async def test_a_plain_request_for_the_socket_is_not_found(realtime: Realtime) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{realtime.http_url}/websocket?apikey={token()}")
    assert answer.status_code == 404


async def test_an_unexpected_error_ends_its_channel_only(
    realtime: Realtime, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    join = await client.join("room")
    await client.join("other")
    room = realtime.server.services.rooms.find("room", private=False)
    assert room is not None
    monkeypatch.setattr(room, "broadcast", None)
    await client.send("realtime:room", "broadcast", {"event": "x", "payload": {}})
    crash = await client.event("phx_error")
    assert (crash["topic"], crash["ref"], crash["payload"]) == ("realtime:room", join["ref"], {})
    ref = await client.send("realtime:other", "presence", {"event": "track", "payload": {}})
    assert (await client.reply_to(ref))["payload"]["status"] == "ok"

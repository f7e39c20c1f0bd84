"""Every message that a client sends to Realtime, with values that hurt, while somebody else listens."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.realtime.client import connect
from tests.security.fuzz.logs import without_tracebacks
from tests.security.fuzz.pace import LIMIT
from tests.security.fuzz.test_changes import PLAIN, latency
from tests.security.fuzz.values import anything, hostile, text
from tests.support.people import Person

EVENTS = ("phx_join", "phx_leave", "heartbeat", "access_token", "broadcast", "presence", "postgres_changes")
OPTIONS = ("ack", "self", "replay", "key", "enabled", "event", "schema", "table", "filter")
MESSAGES = 60

topics = st.sampled_from(("phoenix", "realtime:a", "realtime:b", "realtime:", "other")) | text
options = st.dictionaries(st.sampled_from(OPTIONS), anything, max_size=4)
configs = st.fixed_dictionaries(
    {},
    optional={
        "broadcast": options | anything,
        "presence": options | anything,
        "postgres_changes": st.lists(options | anything, max_size=3) | anything,
        "private": anything,
    },
)
payloads = st.fixed_dictionaries(
    {},
    optional={
        "config": configs | anything,
        "access_token": anything,
        "type": st.sampled_from(("broadcast", "presence")) | anything,
        "event": st.sampled_from(("track", "untrack")) | anything,
        "payload": anything,
    },
)
messages = st.tuples(
    topics, st.sampled_from(EVENTS) | text, payloads | anything, st.none() | st.sampled_from("12") | hostile
)
conversations = st.lists(messages, min_size=MESSAGES, max_size=MESSAGES)
Sent = tuple[str, str, object, str | None]


async def converse(url: str, key: str, version: str, conversation: list[Sent]) -> None:
    """Send messages one after the other, also after the server has closed the socket because of one."""
    waiting = list(conversation)
    while waiting:
        try:
            async with connect(url, key, version) as client:
                while waiting:
                    topic, event, payload, ref = waiting.pop()
                    await client.send_as(topic, event, payload, ref, ref)
                await client.settle()
        except ConnectionClosed:
            continue


async def fuzz(stack: StackInfo, person: Person, conversation: list[Sent]) -> float:
    """Send the messages in both versions of the protocol; return how many times as long a listener waits."""
    url = f"{stack.url}/realtime/v1".replace("http", "ws", 1)
    async with connect(url, stack.anon_key) as listener:
        await listener.subscribe("room", {"event": "*", "schema": "public", "table": "tavern_messages"})
        plain = sorted([await latency(listener, person) for _ in range(PLAIN)])[PLAIN // 2]
        versions = ("1.0.0", "2.0.0")
        sending = [
            asyncio.create_task(converse(url, stack.anon_key, version, conversation)) for version in versions
        ]
        under_attack = min([await latency(listener, person) for _ in range(PLAIN)])
        await asyncio.gather(*sending)
    return under_attack / plain


@pytest.mark.timeout(300)  # a busy machine opens sockets slowly, and the server closes many
@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(conversation=conversations)
def test_every_message(stack: StackInfo, person: Person, conversation: list[Sent]) -> None:
    with without_tracebacks(stack):
        assert asyncio.run(fuzz(stack, person, conversation)) <= LIMIT

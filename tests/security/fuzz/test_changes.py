"""Every filter of Realtime, with values that hurt, while somebody else listens."""

from __future__ import annotations

import asyncio
import time
import uuid

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.realtime.client import Client, Message, connect
from tests.security.fuzz.logs import without_tracebacks
from tests.security.fuzz.pace import LIMIT
from tests.security.fuzz.values import anything, text, value
from tests.support.people import Person

OPERATORS = (
    "eq",
    "neq",
    "lt",
    "lte",
    "gt",
    "gte",
    "in",
    "like",
    "ilike",
    "match",
    "imatch",
    "is",
    "isdistinct",
)
COLUMNS = ("id", "body", "author_id", "created_at", "version", "hidden_at")
CHANNELS = 40
PLAIN = 5

filters = st.builds(
    "{}={}{}.{}".format,
    st.sampled_from(COLUMNS) | text,
    st.sampled_from(("", "", "not.")),
    st.sampled_from(OPERATORS) | text,
    value | st.lists(value, max_size=3).map(lambda parts: "(" + ",".join(parts) + ")"),
)
several = st.lists(filters, min_size=1, max_size=3).map(",".join)
bindings = st.builds(
    lambda event, table, condition: {"event": event, "schema": "public", "table": table, "filter": condition},
    st.sampled_from(("*", "INSERT", "UPDATE", "DELETE")) | text,
    st.sampled_from(("tavern_messages", "private_messages", "users", "*")) | text,
    several | anything,
)
joins = st.lists(bindings, min_size=CHANNELS, max_size=CHANNELS)


async def latency(listener: Client, person: Person) -> float:
    """Write a message; return the seconds until the listener has it."""
    body = f"Hello {uuid.uuid4()}"
    started = time.perf_counter()
    write = person.client.table("tavern_messages").insert({"body": body})
    await asyncio.to_thread(write.execute)
    await listener.find(lambda message: body in str(message))
    return time.perf_counter() - started


async def fuzz(stack: StackInfo, person: Person, wanted: list[Message]) -> None:
    """Join one channel for each binding, over one socket, and listen with another."""
    url = f"{stack.url}/realtime/v1".replace("http", "ws", 1)
    async with connect(url, stack.anon_key) as listener, connect(url, stack.anon_key) as attacker:
        await listener.subscribe("room", {"event": "*", "schema": "public", "table": "tavern_messages"})
        plain = sorted([await latency(listener, person) for _ in range(PLAIN)])[PLAIN // 2]
        # Nobody waits for the answers, because each refused join is answered late.
        for number, binding in enumerate(wanted):
            config = {"config": {"postgres_changes": [binding]}}
            ref = f"fuzz {number}"
            await attacker.send_as(f"realtime:fuzz-{number}", "phx_join", config, ref, ref)
        under_attack = min([await latency(listener, person) for _ in range(PLAIN)])
        assert under_attack <= LIMIT * plain
        # The answers have come when a heartbeat behind them is answered, and the socket is still open.
        await attacker.settle()


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(wanted=joins)
def test_every_filter(stack: StackInfo, person: Person, wanted: list[Message]) -> None:
    with without_tracebacks(stack):
        assert asyncio.run(fuzz(stack, person, wanted)) is None

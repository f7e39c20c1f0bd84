"""300 people on a few websockets: each is sent their own rows and no others, also after all have broken."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from livetables.feed.connection import Connections
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from tests.livetables.broken import NEVER, sql
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.feed.followers import Follower, connections_to, project
from tests.support.crowd import Guest, crowd
from tests.support.wait import wait_until

PEOPLE = 300
# A server that a busy machine keeps waiting is not gone.
TIMING = replace(Timing(), open=120.0, heartbeat=NEVER, heartbeat_answer=60.0)
WITHIN = 120.0


async def opened(guests: Sequence[Guest], connections: Connections) -> list[Follower]:
    """Open a subscription for each of them, at the same time."""
    some = [Follower.of(guest, connections) for guest in guests]
    await asyncio.gather(*(one.open() for one in some))
    return some


async def closed(some: Sequence[Follower]) -> None:
    """Close the subscriptions."""
    await asyncio.gather(*(one.subscription.close() for one in some))


def write_to_the_next(stack: StackInfo, guests: Sequence[Guest], what: str) -> Mapping[str, list[str]]:
    """Have each of them write to the next one. Return the texts that each of them may see."""
    ids = [guest.user_id for guest in guests]
    seen: defaultdict[str, list[str]] = defaultdict(list)
    with sql(stack) as cursor:
        cursor.execute(
            "insert into public.private_messages (sender_id, recipient_id, body)"
            " select sender, recipient, %s || sender"
            " from unnest(%s::uuid[], %s::uuid[]) as pair(sender, recipient)"
            " returning sender_id::text, recipient_id::text, body",
            (what, ids, ids[1:] + ids[:1]),
        )
        for sender, recipient, body in cursor.fetchall():
            seen[sender].append(body)
            seen[recipient].append(body)
    return seen


async def received(some: Sequence[Follower], expected: Mapping[str, list[str]]) -> Mapping[str, list[str]]:
    """Return what each has received, once nobody lacks a message."""
    for one in some:
        count = len(expected[one.guest.user_id])
        await wait_until(lambda: len(one.bodies) >= count, within=WITHIN, what="messages")  # noqa: B023
    return {one.guest.user_id: sorted(map(str, one.bodies)) for one in some}


@pytest.mark.timeout(600)
async def test_each_of_many_people_is_sent_their_own_rows_and_no_others(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    guests, connections = crowd(stack, PEOPLE), connections_to(project(proxy, stack), TIMING)
    some = await opened(guests, connections)
    assert proxy.websockets == PEOPLE // 100
    expected = write_to_the_next(stack, guests, "first, from ")
    assert await received(some, expected) == {each: sorted(texts) for each, texts in expected.items()}

    await asyncio.gather(*(one.subscription.push_token(one.guest.access_token()) for one in some[::5]))
    await wait_until(lambda: all(one.subscribed == 2 for one in some[::5]), within=WITHIN, what="new tokens")
    assert {one.subscribed for one in some} == {1, 2}

    await asyncio.to_thread(proxy.close_websockets, 1012)
    await asyncio.gather(*(one.subscription.ended() for one in some))
    await closed(some)
    assert len(connections) == 0
    again = await opened(guests, connections)
    assert proxy.websockets == PEOPLE // 100
    expected = write_to_the_next(stack, guests, "second, from ")
    assert await received(again, expected) == {each: sorted(texts) for each, texts in expected.items()}
    await closed(again)

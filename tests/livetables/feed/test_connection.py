"""Websockets that many people share: tokens never mix, and one person's end is nobody else's."""

import asyncio
import time
from dataclasses import replace

import pytest

from livetables.errors import SubscriptionError
from livetables.feed.connection import MOST_BINDINGS
from livetables.feed.subscription import Binding, Subscription, SubscriptionConfig
from livetables.tables.changes import Record
from local_supabase.stack.runtime import StackInfo
from tests.livetables.broken import NEVER
from tests.livetables.fault_proxy import FaultProxy, Message
from tests.livetables.feed.followers import (
    PATIENT,
    Follower,
    connections_to,
    followers,
    project,
    wait_told,
    write,
)
from tests.livetables.things import NOWHERE
from tests.support.crowd import crowd
from tests.support.wait import wait_until


async def test_each_person_on_a_websocket_receives_their_own_rows_and_no_others(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    async with followers(stack, connections_to(project(proxy, stack)), 4) as some:
        assert proxy.websockets == 1
        write(stack, *some)
        await wait_told(*some)
        assert [one.bodies for one in some] == [[one.guest.user_id] for one in some]


async def test_a_full_websocket_is_followed_by_another(proxy: FaultProxy, stack: StackInfo) -> None:
    async with followers(stack, connections_to(project(proxy, stack), most_channels=2), 3) as some:
        assert proxy.websockets == 2
        write(stack, *some)
        await wait_told(*some)
        assert [one.bodies for one in some] == [[one.guest.user_id] for one in some]


async def test_the_last_one_who_leaves_closes_the_websocket(proxy: FaultProxy, stack: StackInfo) -> None:
    connections = connections_to(project(proxy, stack))
    async with followers(stack, connections, 2) as (one, other):
        await one.subscription.close()
        assert len(connections) == 1
        write(stack, one, other)
        await wait_told(other)
        assert one.bodies == []
    assert len(connections) == 0
    await wait_until(lambda: proxy.websockets == 0, what="the websocket to be closed")


async def test_who_leaves_is_left_by_the_server_too(proxy: FaultProxy, stack: StackInfo) -> None:
    seen: list[Message] = []

    def keep(message: Message) -> Message:
        seen.append(message)
        return message

    async with followers(stack, connections_to(project(proxy, stack)), 2) as (one, other):
        proxy.rewrite = keep
        topic = one.topic
        await one.subscription.close()
        await wait_until(
            lambda: any(each["topic"] == topic and each["event"] == "phx_close" for each in seen),
            what="the server to close the channel",
        )
        write(stack, one, other)
        await wait_told(other)
        assert not any(each["topic"] == topic and each["event"] == "postgres_changes" for each in seen)


async def test_a_refused_token_concerns_its_owner_alone(proxy: FaultProxy, stack: StackInfo) -> None:
    connections = connections_to(project(proxy, stack), replace(PATIENT, heartbeat=NEVER))
    async with followers(stack, connections, 2) as some:
        [expired] = [Follower.of(guest, connections) for guest in crowd(stack, 1)]
        expired.guest.lifetime = -60.0
        with pytest.raises(SubscriptionError, match="expired"):
            await expired.open()
        await expired.subscription.close()
        write(stack, *some)
        await wait_told(*some)
        assert proxy.websockets == 1
        assert [one.subscribed for one in some] == [1, 1]


async def test_a_token_that_expires_ends_its_owners_channel_alone(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    connections = connections_to(project(proxy, stack))
    async with followers(stack, connections, 2) as some:
        short, renewed = (Follower.of(guest, connections) for guest in crowd(stack, 2))
        short.guest.lifetime = renewed.guest.lifetime = 4.0
        await asyncio.gather(short.open(), renewed.open())
        renewed.guest.lifetime = 3600.0
        await renewed.subscription.push_token(renewed.guest.access_token())
        assert await asyncio.wait_for(short.subscription.ended(), 60)
        write(stack, *some, renewed)
        await wait_told(*some, renewed)
        await asyncio.gather(short.subscription.close(), renewed.subscription.close())
        assert proxy.websockets == 1
        assert renewed.bodies == [renewed.guest.user_id]
        assert [one.bodies for one in some] == [[one.guest.user_id] for one in some]


async def test_a_renewed_token_goes_to_its_owners_channel_alone(proxy: FaultProxy, stack: StackInfo) -> None:
    async with followers(stack, connections_to(project(proxy, stack)), 3) as (ada, bo, cy):
        await ada.subscription.push_token(ada.guest.access_token())
        await wait_until(lambda: ada.subscribed == 2, what="the server to take the token")
        write(stack, ada, bo, cy)
        await wait_told(ada, bo, cy)
        assert [one.bodies for one in (ada, bo, cy)] == [[one.guest.user_id] for one in (ada, bo, cy)]
        assert (bo.subscribed, cy.subscribed) == (1, 1)


async def test_a_token_that_comes_while_a_channel_joins_is_not_lost(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    connections = connections_to(project(proxy, stack))
    [one] = [Follower.of(guest, connections) for guest in crowd(stack, 1)]
    one.guest.lifetime = 4.0
    old = one.guest.access_token()
    one.guest.lifetime = 3600.0
    proxy.delay = lambda: 0.2
    opening = asyncio.create_task(one.subscription.open(old))
    await wait_until(lambda: one.subscription._channel is not None, what="the join")
    await one.subscription.push_token(one.guest.access_token())
    proxy.delay = None
    await opening
    expired = time.time() + 5
    await wait_until(lambda: time.time() > expired, what="the old token to expire")
    write(stack, one)
    await wait_told(one)
    await one.subscription.close()
    assert one.bodies == [one.guest.user_id]


@pytest.mark.parametrize("event", ["phx_close", "phx_error"])
async def test_a_channel_that_the_server_ends_ends_alone(
    event: str, proxy: FaultProxy, stack: StackInfo
) -> None:
    timing = replace(PATIENT, heartbeat=NEVER)
    async with followers(stack, connections_to(project(proxy, stack), timing), 3) as (one, *others):
        message: Message = {"topic": one.topic, "event": event, "payload": {}, "ref": None}
        await asyncio.to_thread(proxy.inject, message)
        assert await asyncio.wait_for(one.subscription.ended(), 20)
        write(stack, *others)
        await wait_told(*others)
        assert proxy.websockets == 1


async def test_what_one_person_cannot_handle_is_not_withheld_from_others(
    proxy: FaultProxy, stack: StackInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with followers(stack, connections_to(project(proxy, stack)), 2) as (one, other):

        def fail(_data: Record) -> None:
            raise RuntimeError

        monkeypatch.setattr(one.subscription, "_on_data", fail)
        write(stack, one, other)
        assert await asyncio.wait_for(one.subscription.ended(), 20) == "a change could not be handled"
        await wait_told(other)
        assert other.bodies == [other.guest.user_id]


@pytest.mark.parametrize("fault", ["closed", "cut", "silent"])
async def test_everybody_on_a_broken_websocket_learns_of_its_end(
    fault: str, proxy: FaultProxy, stack: StackInfo
) -> None:
    connections = connections_to(project(proxy, stack))
    async with followers(stack, connections, 3) as some:
        breaking = {"closed": lambda: proxy.close_websockets(1012), "cut": proxy.cut, "silent": proxy.forget}
        await asyncio.to_thread(breaking[fault])
        for one in some:
            assert await asyncio.wait_for(one.subscription.ended(), 20)
        # They open new ones, together on a new websocket.
        again = [Follower.of(one.guest, connections) for one in some]
        await asyncio.gather(*(one.open() for one in again))
        assert proxy.websockets - 1 <= (fault == "silent")
        write(stack, *again)
        await wait_told(*again)
        await asyncio.gather(*(one.subscription.close() for one in again))
        assert [one.bodies for one in again] == [[one.guest.user_id] for one in again]


async def test_after_an_attempt_without_an_answer_the_next_one_has_a_new_websocket(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    connections = connections_to(project(proxy, stack), replace(PATIENT, open=1))
    [one] = [Follower.of(guest, connections) for guest in crowd(stack, 1)]
    proxy.silent = True
    with pytest.raises(SubscriptionError):
        await one.open()
    first = one.subscription._place
    assert first is not None
    assert connections.take_place(1, lambda _: None).connection is not first.connection
    await one.subscription.close()


async def test_a_join_without_an_answer_makes_the_next_one_take_a_new_websocket(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    connections = connections_to(project(proxy, stack), replace(PATIENT, heartbeat=NEVER))
    async with followers(stack, connections, 1) as (one,):
        known = one.topic

        def drop(message: Message) -> Message | None:
            return message if message["topic"] == known else None

        connections.timing = replace(PATIENT, open=0.5)
        [late] = [Follower.of(guest, connections) for guest in crowd(stack, 1)]
        proxy.rewrite = drop
        with pytest.raises(SubscriptionError, match="No subscription"):
            await late.open()
        await late.subscription.close()
        proxy.rewrite = None
        connections.timing = PATIENT
        again = Follower.of(late.guest, connections)
        await again.open()
        write(stack, one, again)
        await wait_told(one, again)
        assert proxy.websockets == 2
        await again.subscription.close()


async def test_a_websocket_that_refuses_another_channel_is_offered_no_more(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    def refuse(message: Message) -> Message:
        if message["event"] == "phx_reply" and message["topic"].startswith("realtime:"):
            reason = {"reason": "ChannelRateLimitReached: Too many channels"}
            return {**message, "payload": {"status": "error", "response": reason}}
        return message

    connections = connections_to(project(proxy, stack))
    async with followers(stack, connections, 1) as (one,):
        proxy.rewrite = refuse
        [late] = [Follower.of(guest, connections) for guest in crowd(stack, 1)]
        with pytest.raises(SubscriptionError, match="Too many channels"):
            await late.open()
        await late.subscription.close()
        proxy.rewrite = None
        again = Follower.of(late.guest, connections)
        await again.open()
        write(stack, one, again)
        await wait_told(one, again)
        assert proxy.websockets == 2
        await again.subscription.close()


async def test_places_have_topics_of_their_own_and_respect_both_limits() -> None:
    connections = connections_to(NOWHERE)
    few = [connections.take_place(MOST_BINDINGS // 4, lambda _: None) for _ in range(5)]
    assert len({place.topic for place in few}) == 5
    assert [place.connection for place in few[:4]] == [few[0].connection] * 4
    assert few[4].connection is not few[0].connection
    await connections.leave(few[0])
    assert connections.take_place(1, lambda _: None).connection is few[0].connection


async def test_a_connection_that_cannot_be_made_tells_everybody_who_waits() -> None:
    connections = connections_to(NOWHERE)
    config = SubscriptionConfig([Binding("users")], PATIENT, connections)
    waiting = [Subscription(config, lambda _: None, lambda: None) for _ in range(3)]
    results = await asyncio.gather(*(one.open(None) for one in waiting), return_exceptions=True)
    assert [type(result) for result in results] == [SubscriptionError] * 3
    await asyncio.gather(*(one.close() for one in waiting))
    assert len(connections) == 0


async def test_channels_join_one_after_the_other() -> None:
    connections = connections_to(NOWHERE, replace(PATIENT, joins_per_second=20))
    clock = asyncio.get_running_loop().time
    began = clock()
    await asyncio.gather(*(connections.turn_to_join() for _ in range(5)))
    assert clock() - began >= 4 / 20 - 0.01

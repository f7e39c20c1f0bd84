"""Sockets that are dead without a word: one alone, or all of them at once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from realtime import AsyncRealtimeClient, Message, ReplyMessage

from live.engine import Engine
from live.status import FeedState
from live.subscription import _Heartbeats
from live.timing import Timing, heartbeat_of_many
from local_supabase.runtime import StackInfo
from tests.live.broken import QUICK, running, wait_state
from tests.live.fault_proxy import FaultProxy, _Connection
from tests.live.support import Signed
from tests.support.people import Person
from tests.support.wait import wait_for

SILENT = replace(QUICK, heartbeat=1000.0, quiet_heartbeat=1000.0, reconcile=1000.0)
"""No feed asks by itself whether the other side is there."""


def sockets(proxy: FaultProxy) -> set[_Connection]:
    return {connection for connection in tuple(proxy._connections) if connection.websocket}


def own_socket(engine: Engine, proxy: FaultProxy, person: Person) -> _Connection:
    """Attach a person, wait for their feed, and return its websocket."""
    wait_state(engine, FeedState.LIVE)
    before = sockets(proxy)
    engine.attach("tab", Signed(person))
    assert engine.wait_loaded(20, user_id=person.user_id)
    wait_state(engine, FeedState.LIVE, user_id=person.user_id)
    [own] = sockets(proxy) - before
    return own


def in_proxy(proxy: FaultProxy, do: Callable[[], None]) -> None:
    async def doing() -> None:
        do()

    assert proxy._loop is not None
    asyncio.run_coroutine_threadsafe(doing(), proxy._loop).result(10)


def test_a_persons_own_socket_that_died_alone_is_noticed_and_replaced(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack, Timing()) as engine:
        own = own_socket(engine, proxy, ada)
        since = engine.status(ada.user_id).since
        own.forgotten = True
        # Two seconds on a quiet machine.
        wait_for(lambda: engine.status(ada.user_id).since > since, within=8, what="it to be noticed")
        assert engine.status().state is FeedState.LIVE
        wait_state(engine, FeedState.LIVE, user_id=ada.user_id)


@pytest.mark.parametrize("noticed_by", ["the public feed", "a person's own"])
def test_trouble_on_one_socket_makes_the_others_look(
    noticed_by: str, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack, SILENT) as engine:
        own = own_socket(engine, proxy, ada)
        [public] = sockets(proxy) - {own}
        dead, other = (own, public) if noticed_by == "the public feed" else (public, own)
        silent = engine._audiences[ada.user_id] if dead is own else engine._public
        since = silent.status.since
        dead.forgotten = True
        in_proxy(proxy, other.abort)
        wait_for(lambda: silent.status.since > since, within=8, what="the dead one to be noticed")
        wait_state(engine, FeedState.LIVE, user_id=ada.user_id)


def test_that_nothing_answers_is_known_as_soon_as_the_heartbeat_is_given_up(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    seen: list[FeedState] = []
    with running(proxy, stack, replace(QUICK, notice=1000.0)) as engine:
        wait_state(engine, FeedState.LIVE)
        engine.attach("tab", None)
        engine.listen(lambda _sessions, _tables: seen.append(engine.status().state))
        proxy.stalled = True
        wait_state(engine, FeedState.OFFLINE)
        assert FeedState.CONNECTING not in seen
        assert engine._reach.requests


def test_a_machine_that_is_slow_to_answer_is_not_taken_for_gone(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack, replace(QUICK, heartbeat_answer=10.0, notice=10.0)) as engine:
        own_socket(engine, proxy, ada)
        since = engine.status(ada.user_id).since
        before = engine._reach.requests
        proxy.delay = lambda: 0.3  # each way
        wait_for(lambda: engine._reach.requests >= before + 2, what="two questions")
        proxy.delay = None
        assert engine.status(ada.user_id).since == since
        assert engine.status(ada.user_id).state is FeedState.LIVE


async def test_a_process_that_is_held_up_does_not_blame_the_other_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own loop stands still for longer than an answer may take; the answer comes right after."""
    held_up = asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message)
        asyncio.get_running_loop().call_soon(hold_up)

    def hold_up() -> None:
        begun = time.monotonic()
        while time.monotonic() - begun < 0.6:  # nothing else runs in this loop
            pass
        held_up.set()
        loop.call_later(0.15, answer)

    def answer() -> None:
        reply = {"topic": "phoenix", "event": "phx_reply", "ref": sent[-1].ref}
        payload = {"status": "ok", "response": {}}
        heartbeats._handle_message(ReplyMessage.model_validate({**reply, "payload": payload}))

    sent: list[Message] = []
    loop = asyncio.get_running_loop()
    client = AsyncRealtimeClient("http://127.0.0.1:9/realtime/v1", "key", auto_reconnect=False)
    monkeypatch.setattr(client, "send", send)
    heartbeats = _Heartbeats(client)
    await heartbeats.send()
    assert await heartbeats.heard(0.3)
    assert held_up.is_set()


def test_the_more_feeds_there_are_the_less_often_each_beats() -> None:
    timing = Timing()
    assert [heartbeat_of_many(timing, feeds) for feeds in (0, 1, 20, 100, 100_000)] == [
        timing.heartbeat,
        timing.heartbeat,
        timing.heartbeat,
        2.0,
        timing.quiet_heartbeat,
    ]

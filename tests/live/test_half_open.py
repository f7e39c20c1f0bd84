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
    assert await heartbeats.answered(0.3)
    assert held_up.is_set()


def test_the_more_feeds_there_are_the_less_often_each_beats() -> None:
    timing = Timing()
    assert [heartbeat_of_many(timing, feeds) for feeds in (0, 1, 25, 100, 100_000)] == [
        timing.heartbeat,
        timing.heartbeat,
        timing.heartbeat,
        2.0,
        timing.quiet_heartbeat,
    ]

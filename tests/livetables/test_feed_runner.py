"""Many feeds on one thread: sockets that die silently, one alone or all at once, and what the others do."""

import asyncio
from dataclasses import replace
from threading import Thread
from typing import Any, cast

import pytest

from livetables.audiences import Audience
from livetables.engine import Engine
from livetables.feed.status import FeedState
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from tests.livetables.broken import NEVER, QUICK, running, wait_state
from tests.livetables.fault_proxy import FaultProxy, _Connection
from tests.livetables.support import Signed
from tests.livetables.things import NOWHERE
from tests.support.people import Person
from tests.support.wait import wait_for

WITHOUT_HEARTBEATS = replace(QUICK, heartbeat=NEVER, quiet_heartbeat=NEVER, reconcile=NEVER)
"""No feed checks by itself whether the server still answers."""


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


def abort(proxy: FaultProxy, connection: _Connection) -> None:
    """Reset one connection."""

    async def on_loop() -> None:
        connection.abort()

    assert proxy._loop is not None
    asyncio.run_coroutine_threadsafe(on_loop(), proxy._loop).result(10)


def test_a_users_socket_that_died_alone_is_noticed_and_replaced(
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


@pytest.mark.parametrize("noticed_by", ["the public feed", "a user's feed"])
def test_when_one_feed_is_cut_off_the_others_check_at_once(
    noticed_by: str, proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack, WITHOUT_HEARTBEATS) as engine:
        own = own_socket(engine, proxy, ada)
        [public] = sockets(proxy) - {own}
        dead, other = (own, public) if noticed_by == "the public feed" else (public, own)
        silent = engine.audience(ada.user_id if dead is own else None)
        since = silent.status.since
        dead.forgotten = True
        abort(proxy, other)
        wait_for(lambda: silent.status.since > since, within=8, what="the dead one to be noticed")
        wait_state(engine, FeedState.LIVE, user_id=ada.user_id)
        assert engine.status().state is FeedState.LIVE


def test_when_nothing_answers_a_feed_is_offline_as_soon_as_its_heartbeat_times_out(
    proxy: FaultProxy, stack: StackInfo
) -> None:
    seen: list[FeedState] = []
    with running(proxy, stack, replace(QUICK, offline_after=NEVER)) as engine:
        wait_state(engine, FeedState.LIVE)
        engine.attach("tab", None)
        engine.listen(lambda _sessions, _tables: seen.append(engine.status().state))
        proxy.stalled = True
        wait_state(engine, FeedState.OFFLINE)
        assert FeedState.CONNECTING not in seen
        assert engine._runner.reachability.requests


def test_a_server_that_answers_slowly_is_not_taken_for_dead(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    with running(proxy, stack, replace(QUICK, heartbeat_answer=10.0, offline_after=10.0)) as engine:
        own_socket(engine, proxy, ada)
        since = engine.status(ada.user_id).since
        before = engine._runner.reachability.requests
        proxy.delay = lambda: 0.3  # each way
        wait_for(lambda: engine._runner.reachability.requests >= before + 2, what="two requests")
        proxy.delay = None
        assert engine.status(ada.user_id).since == since
        assert engine.status(ada.user_id).state is FeedState.LIVE


class _Noticed(Audience):
    """An audience at each look at which another thread opens a feed."""

    def __init__(self, engine: Engine) -> None:
        super().__init__("ada", [], engine._registry._context)
        self._engine = engine

    def __getattribute__(self, name: str) -> Any:
        if name == "filters":
            open_another(self._engine)
        return super().__getattribute__(name)

    def __hash__(self) -> int:
        open_another(self._engine)
        return 1


def put(engine: Engine, audience: Audience) -> None:
    """Have a feed open, without running it."""
    engine._runner._feeds[audience] = cast("asyncio.Task[None]", None)


def open_another(engine: Engine) -> None:
    """Open a feed on another thread, as the engine's own does meanwhile."""
    another = Audience("bo", [], engine._registry._context)
    thread = Thread(target=put, args=(engine, another))
    thread.start()
    thread.join()


def test_the_open_feeds_can_be_listed_while_others_open() -> None:
    engine = Engine(NOWHERE, [])
    put(engine, _Noticed(engine))
    feeds = engine.feeds
    engine.stop()
    assert feeds == {"ada", "bo"}

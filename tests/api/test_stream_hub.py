"""What wakes the streams: the engine's feeds, of which each caller's is open as long as their streams are."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from api.backend import Backend
from api.stream_feed import Pace
from api.stream_hub import Hub
from db.clients import Clients
from db.settings import Settings
from live.engine import Engine, EngineConfig
from local_supabase.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.api.listening import listening
from tests.api.serving import served, token_of
from tests.api.test_stream import say, start_run
from tests.support.people import Person
from tests.support.wait import wait_until

NEVER = Pace(look=600, look_unfed=600, rest=0.01)
"""Whoever is not woken hears nothing."""


@contextmanager
def serving(stack: StackInfo) -> Iterator[tuple[str, Hub, Engine]]:
    """Serve the API over an engine that runs."""
    with served(stack.url, stack.anon_key) as api:
        clients = Clients(Settings(stack.url, stack.anon_key))
        engine = Engine.start(EngineConfig(stack.url, stack.anon_key), ALL_SPECS)
        try:
            assert engine.wait_loaded(30)
            api.app.state.context._backend = Backend(clients, engine)
            api.app.state.streams = hub = Hub(time.time, NEVER)
            yield api.url, hub, engine
        finally:
            engine.stop()
            clients.close()


async def test_a_stream_is_woken_by_the_engine_and_leaves_nothing_open(
    stack: StackInfo, ann: Person, bob: Person
) -> None:
    with serving(stack) as (url, hub, engine):
        async with listening(url, token_of(ann), "tavern_messages,agent_runs") as stream:
            await stream.next("ready")
            assert engine.sessions == dict.fromkeys(hub._places, ann.user_id)
            message = say(bob, "For everybody")
            assert (await stream.change())["key"] == {"id": message}
            await wait_until(lambda: ann.user_id in engine.feeds, what="Ann's own feed")
            run = start_run(ann)
            assert (await stream.change())["key"] == {"id": run}
        await wait_until(lambda: not engine.sessions, what="the place to be given back")
        assert (len(hub), hub._unlisten, hub._http) == (0, None, None)

"""The engine wakes the streams, and keeps a caller's feed open as long as their streams."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from api.stream_feed import Pace
from api.stream_hub import Hub
from livetables.config import EngineConfig
from livetables.engine import Engine
from local_supabase.stack.runtime import StackInfo
from realtime_handlers import ALL_SPECS
from tests.api.listening import listening
from tests.api.serving import served, token_of
from tests.api.test_stream import post_message, start_run
from tests.support.people import Person
from tests.support.wait import wait_until

NEVER = Pace(poll=600, poll_without_engine=600, min_interval=0.01)
"""A stream that is not woken sends nothing."""


@contextmanager
def serving(stack: StackInfo) -> Iterator[tuple[str, Hub, Engine]]:
    """Serve the API over a running engine."""
    engine = Engine.start(EngineConfig(stack.url, stack.anon_key), ALL_SPECS)
    try:
        assert engine.wait_loaded(30)
        with served(stack.url, stack.anon_key, engine=engine) as api:
            api.app.state.streams = hub = Hub(time.time, NEVER)
            yield api.url, hub, engine
    finally:
        engine.stop()


async def test_a_stream_is_woken_by_the_engine_and_leaves_nothing_open(
    stack: StackInfo, ann: Person, bob: Person
) -> None:
    with serving(stack) as (url, hub, engine):
        async with listening(url, token_of(ann), "tavern_messages,agent_runs") as stream:
            await stream.next("ready")
            assert engine.sessions == dict.fromkeys(hub.sessions, ann.user_id)
            message = post_message(bob, "For everybody")
            assert (await stream.change())["key"] == {"id": message}
            await wait_until(lambda: ann.user_id in engine.feeds, what="Ann's own feed")
            run = start_run(ann)
            assert (await stream.change())["key"] == {"id": run}
        await wait_until(lambda: not engine.sessions, what="the session to be closed")
        assert hub.idle

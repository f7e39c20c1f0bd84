"""Each way of finding out what the stream did not bring, where none of the others can help."""

import dataclasses

from live.status import FeedState
from local_supabase.runtime import StackInfo
from tests.live.broken import QUICK, running, say, wait_shown, wait_state
from tests.live.fault_proxy import FaultProxy, Message
from tests.support.people import Person
from tests.support.wait import wait_for

_NEVER = 1000.0


def _no_events(message: Message) -> Message | None:
    return None if message["event"] == "postgres_changes" else message


def test_what_happened_between_two_subscriptions_is_caught_up_with(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = dataclasses.replace(QUICK, poll=_NEVER, reconcile=_NEVER, first_retry=1, longest_retry=1)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        proxy.rewrite = _no_events
        before = engine.status().since
        reads = engine._public._feed._sync._reader  # type: ignore[union-attr]
        asked = reads.requests
        proxy.close_websockets(1012)
        wait_for(lambda: engine.status().since > before, what="the end to be noticed")
        # It looks at once; what is committed after that look and before the next subscription is the point.
        wait_for(lambda: reads.requests > asked, what="a look at the end")
        wait_state(engine, FeedState.POLLING)
        missed = say(stack, ada)
        wait_shown(engine, missed)
        wait_state(engine, FeedState.LIVE)


def test_polling_does_not_wait_for_the_next_try_of_a_websocket(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    proxy.no_websockets = True
    timing = dataclasses.replace(QUICK, reconcile=_NEVER, first_retry=_NEVER, longest_retry=_NEVER)
    with running(proxy, stack, timing) as engine:
        wait_state(engine, FeedState.POLLING)
        for _ in range(3):
            wait_shown(engine, say(stack, ada))
        assert engine.status().state is FeedState.POLLING


def test_reconciling_finds_what_a_stream_that_stays_has_dropped(
    proxy: FaultProxy, stack: StackInfo, ada: Person
) -> None:
    timing = dataclasses.replace(QUICK, poll=_NEVER, reconcile=0.3, grace=0.1)
    with running(proxy, stack, timing) as engine:
        assert engine.wait_loaded(20)
        wait_state(engine, FeedState.LIVE)
        since = engine.status().since
        proxy.rewrite = _no_events
        for _ in range(3):
            wait_shown(engine, say(stack, ada))
        assert engine.status().repaired == 3
        assert engine.status().since == since

"""Presence between two processes on a real stack, and how often a process sends."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.presence import feed as presence_feed
from livetables.presence.feed import PresenceFeed
from livetables.presence.model import PRESENCE, Present
from livetables.timing import PresenceTiming, Timing
from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy
from tests.livetables.things import NOWHERE
from tests.support.wait import wait_for

QUICK = PresenceTiming(interval=1.5, settle=0.1, check=0.5, first_retry=0.1, longest_retry=1.0)
"""Faster than Realtime allows in the long run. Here each process sends only a few messages."""

MESSAGES, SECONDS = 5, 30.0
"""Realtime closes the channel of a client that sends more presence messages in that time."""
SCALE = 0.02


@contextmanager
def process(stack: StackInfo, url: str | None = None) -> Iterator[Engine]:
    """Run an engine as another process would."""
    engine = Engine.start(EngineConfig(url or stack.url, stack.anon_key), [], Timing(presence=QUICK))
    try:
        yield engine
    finally:
        engine.stop()


def counts(engine: Engine) -> tuple[set[str], int]:
    """Return who is here, as this process knows it: the users, and how many visitors."""
    return set(engine.presence.present.people), engine.presence.present.visitors


def wait_agreed(engines: list[Engine], users: set[str], visitors: int) -> None:
    """Wait until all of them know the same."""
    wait_for(
        lambda: all(counts(engine) == (users, visitors) for engine in engines),
        within=60,
        what=f"{users} and {visitors}, after {[counts(engine) for engine in engines]}",
    )


def test_both_processes_see_everybody_until_they_leave(stack: StackInfo) -> None:
    with process(stack) as one, process(stack) as two:
        notified: list[frozenset[str]] = []
        two.listen(lambda _sessions, tables: notified.append(tables))
        visitor = two.attach("tab of a visitor", None)
        one.presence.track("tab 1", "ada", "events", "e1")
        one.presence.track("tab 2", "ada", "tavern")
        two.presence.track("tab 3", "bo", "events", "e1")
        two.presence.track(visitor.id, None, "tavern")
        wait_agreed([one, two], {"ada", "bo"}, 1)
        for engine in (one, two):
            assert set(engine.presence.present.viewing("e1")) == {"ada", "bo"}
        assert frozenset({PRESENCE}) in notified
        assert visitor.version(PRESENCE) != 0

        two.detach(visitor.id)
        one.presence.untrack("tab 1")
        one.presence.untrack("tab 2")
        wait_agreed([one, two], {"bo"}, 0)
        assert two.presence.present.viewing("e1") == ("bo",)


def test_a_process_that_ends_is_forgotten(stack: StackInfo) -> None:
    with process(stack) as one:
        one.presence.track("tab", "ada", "tavern")
        with process(stack) as two:
            two.presence.track("tab", "bo", "tavern")
            wait_agreed([one, two], {"ada", "bo"}, 0)
        wait_agreed([one], {"ada"}, 0)
        assert one.presence.tracked == {"tab"}


def test_presence_survives_an_outage(stack: StackInfo, proxy: FaultProxy) -> None:
    with process(stack) as one, process(stack, proxy.url) as two:
        one.presence.track("tab", "ada", "tavern")
        two.presence.track("tab", "bo", "tavern")
        wait_agreed([one, two], {"ada", "bo"}, 0)
        proxy.refuse()
        wait_agreed([one], {"ada"}, 0)
        assert "bo" in two.presence.present.people
        proxy.heal()
        wait_agreed([one, two], {"ada", "bo"}, 0)


def test_without_a_tracked_tab_no_channel_is_opened(stack: StackInfo) -> None:
    with process(stack) as quiet:
        assert quiet.presence.present == Present()
        assert quiet.presence.revision == 0


class InstantChannel:
    """Sends every message at once, and notes when."""

    sent: list[tuple[float, Mapping[str, object]]]

    def __init__(self, *_: object) -> None:
        self.ended = asyncio.Event()

    async def open(self) -> None:
        """Be open."""

    async def track(self, payload: Mapping[str, object], _number: int) -> None:
        """Note the message."""
        InstantChannel.sent.append((time.monotonic(), payload))

    async def close(self) -> None:
        """Be closed."""


def test_rapid_page_changes_are_sent_within_the_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_feed, "_Channel", InstantChannel)
    InstantChannel.sent = []
    usual = PresenceTiming()
    timing = PresenceTiming(interval=usual.interval * SCALE, repeat=usual.repeat * SCALE, settle=0.0)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    feed = PresenceFeed(lambda: None, lambda: None, timing)
    running = asyncio.run_coroutine_threadsafe(feed.run(NOWHERE), loop)
    pages = iter(range(10**9))

    def change_pages() -> bool:
        for tab in range(20):
            feed.track(f"tab {tab}", f"user {tab % 3}", f"page {next(pages)}")
        return len(InstantChannel.sent) > MESSAGES + 2

    try:
        wait_for(change_pages, what="many messages")
        feed.track("tab 0", "user 0", "the last page")
        wait_for(lambda: "the last page" in str(InstantChannel.sent[-1][1]), what="the newest page")
    finally:
        running.cancel()
        wait_for(lambda: running.done(), what="the feed to end")
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    times = [sent_at for sent_at, _ in InstantChannel.sent]
    # A sixth message comes after the time for five is over.
    spans = [later - first for first, later in zip(times, times[MESSAGES:], strict=False)]
    assert min(spans) > SECONDS * SCALE

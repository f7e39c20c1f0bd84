"""Realtime closes a channel that makes more than five presence calls in 30 s. Here time is short."""

import asyncio
import threading
import time
from collections.abc import Mapping

import pytest

from live import presence_feed
from live.audiences import EngineConfig
from live.presence_feed import Pace, PresenceFeed
from tests.support.wait import wait_for

PER_CALLS, PER_SECONDS = 5, 30.0
SCALE = 0.02


class Channel:
    """Takes every call at once, and notes when it came."""

    calls: list[tuple[float, Mapping[str, object]]]

    def __init__(self, *_: object) -> None:
        self.ended = asyncio.Event()

    async def open(self) -> None:
        """Be there."""

    async def track(self, payload: Mapping[str, object], _number: int) -> None:
        """Note the call."""
        Channel.calls.append((time.monotonic(), payload))

    async def close(self) -> None:
        """Be gone."""


def test_rapid_changes_of_pages_are_told_within_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_feed, "_Channel", Channel)
    Channel.calls = []
    usual = Pace()
    pace = Pace(tell=usual.tell * SCALE, repeat=usual.repeat * SCALE, settle=0.0)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    feed = PresenceFeed(lambda: None, lambda: None, pace)
    running = asyncio.run_coroutine_threadsafe(feed.run(EngineConfig("http://127.0.0.1:9", "key")), loop)
    pages = iter(range(10**9))

    def wander() -> bool:
        for tab in range(20):
            feed.put(f"tab {tab}", f"person {tab % 3}", f"page {next(pages)}")
        return len(Channel.calls) > PER_CALLS + 2

    try:
        wait_for(wander, what="it to be told many times")
        feed.put("tab 0", "person 0", "the last page")
        wait_for(lambda: "the last page" in str(Channel.calls[-1][1]), what="the newest to be told")
    finally:
        running.cancel()
        wait_for(lambda: running.done(), what="the feed to end")
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    moments = [moment for moment, _ in Channel.calls]
    # A sixth call comes after the time for five is over.
    spans = [later - first for first, later in zip(moments, moments[PER_CALLS:], strict=False)]
    assert min(spans) > PER_SECONDS * SCALE

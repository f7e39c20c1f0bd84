"""Runs the feeds of all audiences on one thread, and what they share: connections and liveness checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, TypeVar

import httpx

from livetables.audiences import Audience
from livetables.background import Background
from livetables.config import EngineConfig
from livetables.faults import FAULTS
from livetables.feed.connection import Connections, LivenessCheck
from livetables.feed.reachability import Reachability
from livetables.feed.reads import http_client
from livetables.timing import Timing, heartbeat_of_many

T = TypeVar("T")


class FeedRunner:
    """Runs feeds on an event loop of its own. Methods may be called on any thread."""

    def __init__(self, config: EngineConfig, timing: Timing) -> None:
        self._config, self._timing = config, timing
        self._background: Final = Background("livetables engine")
        self._http: httpx.AsyncClient | None = None
        self.reachability: Final = Reachability(config, timing.heartbeat_answer - timing.late_after)
        answers = self.reachability.answers
        often = LivenessCheck(lambda: timing.heartbeat, answers)
        self._public_connections: Final = Connections(config, timing, often, most_channels=1)
        as_many_allow = LivenessCheck(self._shared_heartbeat, answers)
        self._shared_connections: Final = Connections(config, timing, as_many_allow)
        self._feeds: dict[Audience, asyncio.Task[None]] = {}
        self._public_loaded = asyncio.Event()
        self._probe_requested = False

    def start(self, public: Audience) -> None:
        """Start the thread and the public feed. Returns at once."""

        def begin() -> None:
            self._http = http_client(self._timing.request, self._timing.hedge_after)
            self._open(public)

        self._background.start(begin)

    def stop(self) -> None:
        """Close every feed and end the thread. Blocks until it has ended."""
        self._background.stop(self._close_connections)

    async def _close_connections(self) -> None:
        assert self._http is not None
        await self._http.aclose()

    @property
    def feeds(self) -> frozenset[Audience]:
        """The audiences whose feeds are open."""
        return frozenset(tuple(self._feeds))

    def open(self, audience: Audience) -> None:
        """Start the audience's feed, unless it is running."""
        self._background.call(self._open, audience)

    def close(self, audience: Audience) -> None:
        """Stop the audience's feed."""
        self._background.call(self._close, audience)

    def public_loaded(self) -> None:
        """Let the feeds of users start: what they may read can depend on the public tables."""
        self._background.call(self._public_loaded.set)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call the function on the loop, soon."""
        self._background.call(function, *arguments)

    def call_later(self, seconds: float, function: Callable[..., object], *arguments: object) -> None:
        """Call the function on the loop, after so many seconds."""
        self._background.call_later(seconds, function, *arguments)

    def spawn(self, run: Callable[[], Coroutine[object, object, None]]) -> None:
        """Start a task on the loop that runs until the engine stops."""
        self._background.call(lambda: self._background.spawn(run()))

    @property
    def http(self) -> httpx.AsyncClient:
        """The connections that everything on the loop shares. Use it there."""
        assert self._http is not None
        return self._http

    def result(self, coroutine: Coroutine[object, object, T], timeout: float) -> T:
        """Run the coroutine on the loop and wait for its result.

        Raises what it raises, and `TimeoutError` after `timeout` seconds.
        """
        return self._background.result(coroutine, timeout)

    def probe(self) -> None:
        """Have every feed check at once whether the server still answers."""
        if not self._probe_requested:
            self._probe_requested = True
            self._background.call(self._probe)

    def check_permissions(self) -> None:
        """Have every user's feed check whether what it may read has changed."""
        self._background.call(self._check_permissions)

    def push_token(self, user_id: str, token: str) -> None:
        """Have every feed of this user use a new access token."""
        self._background.call(self._push_token, user_id, token)

    # On the loop.

    def _open(self, audience: Audience) -> None:
        if audience not in self._feeds:
            self._feeds[audience] = self._background.spawn(self._run(audience))

    def _close(self, audience: Audience) -> None:
        self._feeds.pop(audience).cancel()

    async def _run(self, audience: Audience) -> None:
        assert self._http is not None
        if not _is_public(audience):
            await self._public_loaded.wait()
            await audience.run(self._http, self._shared_connections)
        else:
            await audience.run(self._http, self._public_connections)

    def _shared_heartbeat(self) -> float:
        return heartbeat_of_many(self._timing, len(self._shared_connections))

    def _probe(self) -> None:
        self._probe_requested = False
        for audience in self._feeds:
            with FAULTS.contained("engine"):
                audience.probe()

    def _check_permissions(self) -> None:
        for audience in self._feeds:
            if not _is_public(audience):
                with FAULTS.contained("engine"):
                    audience.check_permissions()

    def _push_token(self, user_id: str, token: str) -> None:
        for audience in self._feeds:
            if audience.user_id == user_id:
                self._background.spawn(audience.push_token(token))


def _is_public(audience: Audience) -> bool:
    """Return whether this is the public audience. A view of a public table is not."""
    return audience.user_id is None and not audience.filters

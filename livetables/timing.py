"""Every interval of the engine in one place, and the one implementation of backoff. Tests shorten them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PresenceTiming:
    """Intervals and timeouts of presence, in seconds."""

    interval: float = 7.0
    """Shortest pause between two presence messages. Realtime allows a client five in 30 s."""
    repeat: float = 30.0
    """Pause between two messages that say the same."""
    echo: float = 10.0
    """How long our own message may take to come back."""
    settle: float = 1.0
    """Pause between two notifications of the tabs, however many people come and go."""
    check: float = 5.0
    """Pause between two checks whether another process's report has expired."""
    open: float = 15.0
    """How long the channel may take to open."""
    first_retry: float = 0.5
    """Pause before the first retry of the channel. It doubles each time, with jitter, without end."""
    longest_retry: float = 30.0
    """The longest pause between two tries."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Intervals and timeouts of an engine, all in seconds except for the rates."""

    open: float = 15.0
    """How long the websocket may take to open and to say "Subscribed to PostgreSQL". A cold hosted project
    takes seconds."""
    heartbeat: float = 0.4
    """Pause between two heartbeats of the public feed, and of the users' websockets while they are few."""
    heartbeat_answer: float = 1.05
    """How long a heartbeat may stay unanswered. Pause and timeout together are how long a dead socket goes
    unnoticed. The timeout is a little over a second, so that a busy machine that needs one is not taken for
    dead."""
    late_after: float = 0.25
    """After how long without an answer the engine asks over HTTP whether anything answers at all. This is
    longer than a usual round trip around the world, so nothing is asked while all is well."""
    heartbeats_per_second: float = 50.0
    """Heartbeats of all shared websockets together: the more there are, the longer each one pauses. When one
    feed is in trouble, all send a heartbeat at once."""
    quiet_heartbeat: float = 20.0
    """The longest pause between two heartbeats of a shared websocket, however many there are."""
    joins_per_second: float = 80.0
    """How many channels a process joins a second. The smallest plan of Supabase allows 100."""
    first_retry: float = 0.2
    """Pause before the first retry of the websocket. It doubles each time, with jitter, without end."""
    longest_retry: float = 15.0
    """The longest pause between two tries."""
    stream_wait: float = 3.0
    """How long a new feed waits for the stream before it loads the tables without it."""
    poll: float = 1.0
    """Pause between two reads of changes while there is no stream."""
    reconcile: float = 25.0
    """Pause between two reads of changes while there is a stream, since a stream may drop events silently."""
    grace: float = 2.0
    """How long an event may take to arrive over the stream before its change counts as lost."""
    request: float = 10.0
    """How long a request over HTTP may take."""
    hedge_after: float = 2.0
    """After how long without an answer a request is sent once more, on another connection."""
    offline_after: float = 1.05
    """After how long without an answer over HTTP a feed without a stream counts as offline. It is over a
    second for the same reason as `heartbeat_answer`."""
    linger: float = 10.0
    """How long a user's feed stays open after their last tab is gone, so that a reload finds it."""
    view_opening: float = 5.0
    """How long a new view may take to connect before its state counts as that of the connection."""
    setup: float = 60.0
    """Pause between two checks of the database's set-up."""
    setup_retry: float = 5.0
    """Pause between two checks while something is missing, so that whoever mends it soon sees that."""
    presence: PresenceTiming = PresenceTiming()


def heartbeat_of_many(timing: Timing, websockets: int) -> float:
    """Return the pause in seconds between two heartbeats of a shared websocket if there are so many."""
    longest = max(timing.heartbeat, timing.quiet_heartbeat)
    return min(max(timing.heartbeat, websockets / timing.heartbeats_per_second), longest)


class Backoff:
    """Pauses between retries: they double up to a limit, have jitter, and never end."""

    def __init__(self, first: float, longest: float, source: random.Random | None = None) -> None:
        """Take the first and the longest pause in seconds, and a random source for tests."""
        self._first = first
        self._longest = longest
        self._tries = 0
        # Jitter keeps many clients from retrying at the same moment. Nobody gains by guessing it.
        self._random = source or random.Random()  # noqa: S311

    def reset(self) -> None:
        """Start again with the first pause. Call it after a success."""
        self._tries = 0

    def next(self) -> float:
        """Return how many seconds to wait now: between half of the current step and all of it."""
        step = min(self._longest, self._first * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return step * self._random.uniform(0.5, 1.0)


async def wait_for_event(event: asyncio.Event, within: float) -> bool:
    """Wait for the event. Return whether it was set within so many seconds.

    We cannot use `asyncio.wait_for`: in Python 3.11 it can lose a cancellation that arrives together with the
    event, and a task that loses its cancellation runs forever.
    """
    try:
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        return False
    return True

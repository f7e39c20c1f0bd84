"""Every interval of the engine in one place, in seconds. Tests shorten them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the engine waits for what."""

    open: float = 15.0
    """For a websocket to open and for "Subscribed to PostgreSQL" (seconds on a cold hosted project)."""
    heartbeat: float = 0.4
    """Between two heartbeats of the public feed, and of the others while they are few."""
    heartbeat_answer: float = 1.05
    """For a heartbeat to be answered; with the pause, as long as a dead socket goes unnoticed.
    A little more than a second: a busy machine that takes one to answer is not gone."""
    late: float = 0.25
    """For a heartbeat to be answered, before it is asked over HTTP meanwhile whether anything answers.
    More than a usual way around the world and back: where all is well nothing is asked."""
    beats: float = 50.0
    """Heartbeats a second of all users' feeds together: the more there are, the less often each one beats.
    All beat at once when one of them is in trouble."""
    quiet_heartbeat: float = 20.0
    """Between two heartbeats of a user's feed, however many there are."""
    first_retry: float = 0.2
    longest_retry: float = 15.0
    """Between tries to open the websocket: doubled each time, with jitter, without end."""
    patience: float = 3.0
    """For the stream at the start, before the tables are loaded without it."""
    poll: float = 1.0
    """Between two questions for changes while there is no stream."""
    reconcile: float = 25.0
    """Between two questions for changes while there is one, as a feed may drop events silently."""
    grace: float = 2.0
    """For an event to arrive by itself before what it tells counts as lost."""
    request: float = 10.0
    """For an answer over HTTP."""
    again: float = 2.0
    """For an answer over HTTP before the same is asked once more, on another connection."""
    notice: float = 1.05
    """For an answer over HTTP, while there is no stream, before the feed counts as offline. As for
    `heartbeat_answer`, a second is not too long."""
    linger: float = 10.0
    """For a user's feed to stay open after their last tab left: a reload should find it."""


def heartbeat_of_many(timing: Timing, feeds: int) -> float:
    """Return the pause between two heartbeats of each of so many users' feeds, in seconds."""
    return min(max(timing.heartbeat, feeds / timing.beats), max(timing.heartbeat, timing.quiet_heartbeat))


class Backoff:
    """Waiting times that double up to a limit, with jitter, and never end."""

    def __init__(self, first: float, longest: float, source: random.Random | None = None) -> None:
        self._first = first
        self._longest = longest
        self._tries = 0
        # Jitter keeps a crowd from coming back at once; nobody gains by guessing it.
        self._random = source or random.Random()  # noqa: S311

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._tries = 0

    def next(self) -> float:
        """Return how long to wait now, in seconds: between half of the step and all of it."""
        step = min(self._longest, self._first * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return step * self._random.uniform(0.5, 1.0)


async def happens(event: asyncio.Event, within: float) -> bool:
    """Wait for the event; return whether it came within so many seconds.

    `asyncio.wait_for` of Python 3.11 can lose a cancellation that arrives together with the event, and a
    task that loses it runs for ever.
    """
    try:
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        return False
    return True

"""How a feed is connected, in the words that every page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class FeedState(StrEnum):
    """The value is what a person reads."""

    CONNECTING = "Connecting"
    """The stream is being opened, and it is not known yet what else can be had."""
    LIVE = "Live"
    """Changes arrive as they are committed."""
    CATCHING_UP = "Catching up"
    """The stream is back; what was missed is being read."""
    POLLING = "Polling"
    """No websocket to be had; changes are asked for every second or two."""
    OFFLINE = "Offline"
    """Nothing can be reached; what is shown may be old."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One moment of a feed.

    `since` is when `state` began, `last_lag` the time from the newest change's commit to its arrival
    (clocks of two machines: it may be a little below zero), `repaired` how many changes the stream lost
    and catching up found while the feed was live.
    """

    state: FeedState
    since: datetime
    last_lag: timedelta | None = None
    repaired: int = 0

"""How a feed is connected, in the words that every page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


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


_WORST_FIRST: Final = (
    FeedState.OFFLINE,
    FeedState.CONNECTING,
    FeedState.POLLING,
    FeedState.CATCHING_UP,
    FeedState.LIVE,
)


def together(statuses: Sequence[FeedStatus]) -> FeedStatus:
    """Return one status for several feeds: the worst one's state, the longest lag, all that was repaired."""
    worst = min(statuses, key=lambda status: _WORST_FIRST.index(status.state))
    lags = [status.last_lag for status in statuses if status.last_lag is not None]
    repaired = sum(status.repaired for status in statuses)
    return FeedStatus(worst.state, worst.since, max(lags, default=None), repaired)

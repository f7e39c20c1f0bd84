"""How a feed is connected, as every page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class FeedState(StrEnum):
    """The states people see. The value is the text on the page."""

    CONNECTING = "Connecting"
    """The stream is being opened, and it is not known yet whether HTTP works."""
    LIVE = "Live"
    """Changes arrive as they are committed."""
    CATCHING_UP = "Catching up"
    """The stream is open; changes missed before are being read."""
    INCOMPLETE = "Set-up incomplete"
    """The database lacks something, so that some changes arrive late or never."""
    POLLING = "Polling"
    """There is no websocket; changes are read every second or two."""
    OFFLINE = "Offline"
    """Nothing answers; what is shown may be old."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed's state at one time.

    - `since` is when `state` began.
    - `last_lag` is the time from the newest change's commit to its arrival. It compares the clocks of two
      machines, so it may be slightly negative.
    - `repaired` counts the changes that the stream lost while the feed was live and that reading found.
    - `missing` says what the database lacks.
    """

    state: FeedState
    since: datetime
    last_lag: timedelta | None = None
    repaired: int = 0
    missing: tuple[str, ...] = ()


_WORST_FIRST: Final = (
    FeedState.OFFLINE,
    FeedState.INCOMPLETE,
    FeedState.CONNECTING,
    FeedState.POLLING,
    FeedState.CATCHING_UP,
    FeedState.LIVE,
)


def combined(statuses: Sequence[FeedStatus]) -> FeedStatus:
    """Return one status for several feeds: the worst state, the longest lag, and the sum of the rest.

    Raises `ValueError` if there are none.
    """
    worst = min(statuses, key=lambda status: _WORST_FIRST.index(status.state))
    lags = [status.last_lag for status in statuses if status.last_lag is not None]
    repaired = sum(status.repaired for status in statuses)
    missing = dict.fromkeys(text for status in statuses for text in status.missing)
    return FeedStatus(worst.state, worst.since, max(lags, default=None), repaired, tuple(missing))

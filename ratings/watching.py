"""Watches values by polling, and polls at once when a live connection reports a change.

Polling never misses anything; a live connection only makes it faster. Without one, values are polled every
two seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final, Generic, Protocol, TypeVar

from db.background import contained, start_daemon

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)

_PLACE: Final = "ratings-watch"

POLLING: Final = 2.0
"""Seconds between two polls without a live connection."""
LIVE: Final = 30.0
"""Seconds between two polls with one, in case it lost an event."""


class Subscription(Protocol):
    """A subscription that can be ended."""

    def close(self) -> None:
        """End the subscription."""


class Watch(Generic[T]):
    """Polls values by key, and passes on each that differs from before.

    - `fetch` returns the present values by key.
    - `is_news` compares the earlier value, None for a new key, with the present one.
    - `notify` is called with each such value, on the watch's own thread, one at a time; its errors are
      logged.
    - `polling` is the pause between two polls, in seconds, while there is no live connection.

    The values at the start are passed on only with `from_the_start`. Raises what the first `fetch` raises.
    """

    def __init__(
        self,
        fetch: Callable[[], Mapping[str, T]],
        is_news: Callable[[T | None, T], bool],
        notify: Callable[[T], None],
        *,
        from_the_start: bool = False,
        polling: float = POLLING,
    ) -> None:
        self._fetch = fetch
        self._is_news = is_news
        self._notify = notify
        self._polling = polling
        self._pause = polling
        self._known: Mapping[str, T] = {} if from_the_start else dict(fetch())
        self._wake: Final = threading.Event()
        self._closed: Final = threading.Event()
        self._thread: Final = start_daemon(_PLACE, self._run)
        if self._thread is None:
            raise RuntimeError("No thread can be started to watch with")

    def wake(self) -> None:
        """Poll now."""
        self._wake.set()

    def set_live(self, live: bool) -> None:
        """Poll now, and from then on rarely while a live connection reports changes, often without one."""
        self._pause = LIVE if live else self._polling
        self.wake()

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()
        self.wake()
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(30)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.wait(self._pause)
            self._wake.clear()
            if not self._closed.is_set():
                self._poll()

    def _poll(self) -> None:
        try:
            found = dict(self._fetch())
        except Exception as error:
            # The database is unreachable. The next poll finds everything since.
            _log.warning("Polling failed: %r", error)
            return
        before, self._known = self._known, found
        for key, value in found.items():
            # An error of the listener, or over one value, must not end the watch.
            with contained(_PLACE):
                if self._is_news(before.get(key), value):
                    self._notify(value)

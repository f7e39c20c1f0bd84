"""Telling of what is new: by looking, now and then, and at once when somebody says that there is something.

The look is what never misses anything; a live connection only makes it come sooner. Without one it comes
every two seconds: that is the polling fallback.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final, Generic, Protocol, TypeVar

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)

POLLING: Final = 2.0
"""Seconds between two looks without a live connection."""
LIVE: Final = 30.0
"""Seconds between two looks with one, in case it lost something."""


class Subscription(Protocol):
    """What is being told of until it is closed."""

    def close(self) -> None:
        """Tell of nothing any more."""


class Watch(Generic[T]):
    """Looks at some values by key, and tells of each that is `news` to what was there before.

    `tell` is called on the watch's own thread, one at a time; what it raises is logged. What was there at
    the beginning is told of only if `from_the_start`.
    """

    def __init__(
        self,
        look: Callable[[], Mapping[str, T]],
        news: Callable[[T | None, T], bool],
        tell: Callable[[T], None],
        *,
        from_the_start: bool = False,
        polling: float = POLLING,
    ) -> None:
        self._look = look
        self._news = news
        self._tell = tell
        self._polling = polling
        self._pause = polling
        self._known: Mapping[str, T] = {} if from_the_start else dict(look())
        self._wake: Final = threading.Event()
        self._closed: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._run, name="ratings-watch", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now: something may have happened."""
        self._wake.set()

    def set_live(self, live: bool) -> None:
        """Look rarely while somebody else would say that something happened; often when not."""
        self._pause = LIVE if live else self._polling
        self.wake()

    def close(self) -> None:
        """Tell of nothing any more."""
        self._closed.set()
        self.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(30)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.wait(self._pause)
            self._wake.clear()
            if not self._closed.is_set():
                self._look_once()

    def _look_once(self) -> None:
        try:
            found = dict(self._look())
        except Exception as error:
            # The database is away; the next look tells of everything since.
            _log.warning("Looking for news failed: %r", error)
            return
        before, self._known = self._known, found
        for key, value in found.items():
            if self._news(before.get(key), value):
                self._say(value)

    def _say(self, value: T) -> None:
        try:
            self._tell(value)
        except Exception:
            # One listener's fault must not end the watch.
            _log.exception("A listener of rating news failed")

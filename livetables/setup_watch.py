"""What a check of the database has found missing, asked again and again while the engine runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from livetables.errors import LiveError
from livetables.feed.status import FeedState, FeedStatus
from livetables.timing import Timing

_log: Final = logging.getLogger(__name__)

Check = Callable[[], Sequence[str]]
"""Returns what the database lacks, each text with the SQL that mends it. May block; raises `LiveError`."""


class SetupWatch:
    """Holds what is missing. `on_change` is called on any thread and must not block."""

    def __init__(self, timing: Timing, on_change: Callable[[], None]) -> None:
        self._timing = timing
        self._on_change = on_change
        self._status: FeedStatus | None = None

    @property
    def status(self) -> FeedStatus | None:
        """A status that says what is missing, None if nothing is."""
        return self._status

    def report(self, missing: Sequence[str]) -> None:
        """Show from now on that this is missing, or with an empty list that nothing is."""
        texts = tuple(missing)
        if texts == (() if self._status is None else self._status.missing):
            return
        for text in texts:
            _log.warning("The set-up is incomplete: %s", text)
        self._status = FeedStatus(FeedState.INCOMPLETE, datetime.now(UTC), missing=texts) if texts else None
        self._on_change()

    async def run(self, check: Check) -> None:
        """Check now and then, until cancelled: often while something is missing."""
        while True:
            try:
                self.report(await asyncio.to_thread(check))
            except LiveError as error:
                # The feeds show that the database does not answer.
                _log.info("The set-up cannot be checked: %s", error)
            await asyncio.sleep(self._timing.setup if self._status is None else self._timing.setup_retry)

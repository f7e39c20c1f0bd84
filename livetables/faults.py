"""Faults that a background loop survived: logged once for each kind, counted, and shown in diagnostics.

A loop that serves everybody must not end because of one session, row or message. So the work on one item runs
inside `contained`, which lets the loop go on to the next item.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

__all__ = ["FAULTS", "Faults"]

_log: Final = logging.getLogger(__name__)


class Faults:
    """Counts faults by the place where they happened. Methods may be called on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._logged: set[tuple[str, type[BaseException]]] = set()

    def record(self, place: str, error: BaseException) -> None:
        """Count a fault of `place`, such as `"rerun"`. The first of each type is logged with traceback."""
        kind = (place, type(error))
        with self._lock:
            self._counts[place] = self._counts.get(place, 0) + 1
            first = kind not in self._logged
            self._logged.add(kind)
        if first:
            _log.error("A fault in %s, counted from now on: %r", place, error, exc_info=error)

    @contextmanager
    def contained(self, place: str) -> Iterator[None]:
        """Record any `Exception` of the block instead of raising it."""
        try:
            yield
        except Exception as error:
            self.record(place, error)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many faults each place has had in this process."""
        with self._lock:
            return dict(self._counts)


FAULTS: Final = Faults()
"""The faults of this process."""

"""The limits of a project, and the counters that measure rates."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Self

_ENVIRONMENT_PREFIX = "SUPABASE_REALTIME_"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a project, and the delays of refusals, which slow down clients that retry at once.

    A hosted project limits bindings only by its channels and by the time that their check may take. Here
    bindings and filters are counted too, before any of them is read.

    Rates are averages a second over up to a minute. Where a hosted project's plan sets the limit, the default
    is generous. The environment overrides each, for instance `SUPABASE_REALTIME_MAX_SOCKETS`.
    """

    max_sockets: int = 10_000
    max_channels_per_socket: int = 100
    max_bindings_per_channel: int = 100
    max_bindings_per_socket: int = 1_000
    max_filter_terms_per_channel: int = 2_000
    max_filter_bytes_per_channel: int = 65_536
    max_joins_per_second: int = 2_500
    max_messages_per_second: int = 2_500
    max_presence_per_second: int = 1_000
    client_presence_calls: int = 5
    client_presence_seconds: float = 30.0
    max_payload_bytes: int = 3_000_500
    max_queued_bytes: int = 8_000_000
    max_queued_frames: int = 10_000
    idle_seconds: float = 60.0
    goodbye_seconds: float = 5.0
    connect_refusal_seconds: float = 2.0
    join_refusal_seconds: float = 5.0
    replication_ready_seconds: float = 15.0
    message_retention_hours: int = 72
    private_only: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the limits with their overrides. Raises `ValueError` for one that is not a number."""
        values: dict[str, int | float | bool] = {}
        for field in fields(cls):
            text = environ.get(_ENVIRONMENT_PREFIX + field.name.upper())
            if text is None:
                continue
            if field.type is bool:
                values[field.name] = text.lower() in ("1", "true", "yes")
            else:
                values[field.name] = int(text) if field.type is int else float(text)
        return cls(**values)  # type: ignore[arg-type]  # the fields are numbers or flags


class RateCounter:
    """Counts events and averages their rate over the last minute, or the time since the first event."""

    WINDOW_SECONDS = 60

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[int, int] = {}
        self._started: int | None = None
        self._newest: int | None = None
        self._total = 0

    def add(self, count: int = 1) -> None:
        """Count events."""
        second = self._advance()
        self._buckets[second] = self._buckets.get(second, 0) + count
        self._total += count

    def average(self) -> float:
        """Return the average number of events a second."""
        second = self._advance()
        started = second if self._started is None else self._started
        return self._total / min(self.WINDOW_SECONDS, second - started + 1)

    def _advance(self) -> int:
        second = int(self._clock())
        if second == self._newest:
            return second
        self._newest = second
        if self._started is None:
            self._started = second
        oldest = second - self.WINDOW_SECONDS
        for old in [bucket for bucket in self._buckets if bucket <= oldest]:
            self._total -= self._buckets.pop(old)
        return second


class CallWindow:
    """Allows a number of calls in each window; a window begins with the first call after the last one ended.

    Arguments:
        calls: how many are allowed.
        seconds: the length of a window.
        clock: returns seconds of a monotonic clock.
    """

    def __init__(self, calls: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._calls = calls
        self._seconds = seconds
        self._clock = clock
        self._count = 0
        self._ends: float | None = None

    def allow(self) -> bool:
        """Count a call and return whether it is allowed."""
        now = self._clock()
        if self._ends is None or now > self._ends:
            self._ends = now + self._seconds
            self._count = 0
        self._count += 1
        return self._count <= self._calls

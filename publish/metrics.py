"""The collectors of routing decisions: which model answered each request of a program.

```python
collector = AsyncMetricsCollector(url, key, token, user_id=user_id)
decision = RoutingDecision("acme", "small-1", input_tokens=812, output_tokens=96, cost="0.0011")
await collector.track_decision(prompt=prompt, decision=decision, auto_route=True, request_id=request_id)
```

No method waits for the database, except `flush` and `close`, and no failure raises into the caller.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Final, Self, TypedDict, Unpack

from publish.metrics_buffer import CAPACITY
from publish.metrics_pipeline import INTERVAL, Pipeline, pipeline_for
from publish.metrics_rows import Request, RoutingDecision, row_of
from publish.transport import TokenSource, project_of

_log: Final = logging.getLogger(__name__)

CLOSE_TIMEOUT: Final = timedelta(seconds=30)
"""How long `flush` and `close` wait for the database by default."""

__all__ = ["AsyncMetricsCollector", "RoutingDecision", "SyncMetricsCollector"]


class CollectorOptions(TypedDict, total=False):
    """The optional keyword arguments of a collector; `AsyncMetricsCollector` says what they mean."""

    keep_prompts: bool
    interval: timedelta
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    keep_prompts: bool = False
    interval: timedelta = INTERVAL
    capacity: int = CAPACITY


class _Collector:
    """What both collectors share: a person, a project, and the pipeline to it."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        token: TokenSource | str | None = None,
        *,
        user_id: str,
        **options: Unpack[CollectorOptions],
    ) -> None:
        url, key = project_of(url, key)
        chosen = _Options(**options)
        self._user_id = user_id
        self._keep_prompts = chosen.keep_prompts
        self._pipeline: Pipeline = pipeline_for(url, key, token or key, chosen.interval, chosen.capacity)
        self._unreadable = 0

    @property
    def requests(self) -> int:
        """Requests sent to the database so far, including those of collectors that share the pipeline."""
        return self._pipeline.requests

    @property
    def unsent(self) -> int:
        """Decisions that wait or are in flight."""
        return self._pipeline.unsent

    @property
    def dropped(self) -> int:
        """Decisions that were dropped because the buffer was full. The board shows their number too."""
        return self._pipeline.dropped

    @property
    def refused(self) -> int:
        """Decisions that the database will never take, or that could not be read; see `problem`."""
        return self._pipeline.refused + self._unreadable

    @property
    def problem(self) -> str | None:
        """The latest problem, or None if there was none."""
        return self._pipeline.problem

    def _track(
        self, prompt: str | None, decision: RoutingDecision, auto_route: bool, request_id: object | None
    ) -> None:
        try:
            request = Request(self._user_id, request_id, prompt, auto_route, self._keep_prompts)
            self._pipeline.put(row_of(decision, request))
        except Exception:
            # The caller may pass anything. An answered request must not fail because of its statistics.
            self._unreadable += 1
            _log.exception("A routing decision could not be taken")

    def _finish(self, within: timedelta | None) -> bool:
        done = self._pipeline.flush(_seconds(within))
        self._pipeline.stop_when_idle()
        if not done:
            _log.warning("%d routing decisions are not sent yet.", self._pipeline.unsent)
        return done


class AsyncMetricsCollector(_Collector):
    """Tracks routing decisions of one person, for programs with an event loop.

    - `url` and `key` are the project's; they default to `SUPABASE_URL` and `SUPABASE_KEY`.
    - `token` is the person's access token, or a function that returns it. It defaults to the key, which in a
      backend for many people is the service key. `user_id` is the person.
    - `keep_prompts`: store prompts. Otherwise only their fingerprint and length are stored.
    - `interval`: decisions within this time are sent together, in one insert.
    - `capacity`: decisions kept while the database is unreachable. Beyond it the oldest are dropped; their
      number is in `dropped` and on the board.

    A `request_id` counts once a person, however often it is tracked. Decisions that are unsent when the
    program ends get a few seconds; `aclose` waits for them before that.

    Raises `PublishError` if there is no project, `TypeError` for an unknown keyword, and nothing later.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def track_decision(
        self,
        *,
        prompt: str | None,
        decision: RoutingDecision,
        auto_route: bool = False,
        request_id: object | None = None,
    ) -> None:
        """Track a decision; returns at once.

        `auto_route` says that a router chose the model, not a person. Without a `request_id` the decision
        gets one of its own.
        """
        self._track(prompt, decision, auto_route, request_id)

    async def flush(self, within: timedelta | None = CLOSE_TIMEOUT) -> bool:
        """Send everything now; return False if that took longer than `within` (None: no limit)."""
        return await asyncio.to_thread(self._pipeline.flush, _seconds(within))

    async def aclose(self, within: timedelta | None = CLOSE_TIMEOUT) -> bool:
        """Send what is left; return False if that took longer than `within` (None: no limit)."""
        return await asyncio.to_thread(self._finish, within)


class SyncMetricsCollector(_Collector):
    """`AsyncMetricsCollector` for programs without an event loop, and for any thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def track_decision(
        self,
        *,
        prompt: str | None,
        decision: RoutingDecision,
        auto_route: bool = False,
        request_id: object | None = None,
    ) -> None:
        """Track a decision; returns at once. The arguments are those of `AsyncMetricsCollector`."""
        self._track(prompt, decision, auto_route, request_id)

    def flush(self, within: timedelta | None = CLOSE_TIMEOUT) -> bool:
        """Send everything now; return False if that took longer than `within` (None: no limit)."""
        return self._pipeline.flush(_seconds(within))

    def close(self, within: timedelta | None = CLOSE_TIMEOUT) -> bool:
        """Send what is left; return False if that took longer than `within` (None: no limit)."""
        return self._finish(within)


def _seconds(within: timedelta | None) -> float | None:
    return None if within is None else within.total_seconds()

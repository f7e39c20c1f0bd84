"""How programs tell which model each of their requests was routed to.

```python
collector = AsyncMetricsCollector(url, key, token, user_id=user_id)
decision = RoutingDecision("acme", "small-1", input_tokens=812, output_tokens=96, cost="0.0011")
await collector.track_decision(prompt=prompt, decision=decision, auto_route=True, request_id=request_id)
```

Nothing that is called waits for the database, and nothing that goes wrong raises into the caller.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from publish.metrics_buffer import CAPACITY
from publish.metrics_pipeline import INTERVAL, Pipeline, pipeline_for
from publish.metrics_rows import RoutingDecision, row_of
from publish.transport import TokenSource, project_of

_log: Final = logging.getLogger(__name__)

CLOSING: Final = timedelta(seconds=30)

__all__ = ["AsyncMetricsCollector", "RoutingDecision", "SyncMetricsCollector"]


class _Collector:
    """What both collectors are: a person, a project, and the pipeline that is shared with others of it."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        token: TokenSource | str | None = None,
        *,
        user_id: str,
        keep_prompts: bool = False,
        interval: timedelta = INTERVAL,
        capacity: int = CAPACITY,
    ) -> None:
        url, key = project_of(url, key)
        self._user_id = user_id
        self._keep_prompts = keep_prompts
        self._pipeline: Pipeline = pipeline_for(url, key, token or key, interval, capacity)
        self._unreadable = 0

    @property
    def requests(self) -> int:
        """Requests sent to the database so far, with those of collectors that share the way."""
        return self._pipeline.requests

    @property
    def unsent(self) -> int:
        """Decisions that wait or are on their way."""
        return self._pipeline.unsent

    @property
    def dropped(self) -> int:
        """Decisions that were lost for want of room. The board shows their number too."""
        return self._pipeline.dropped

    @property
    def refused(self) -> int:
        """Decisions that the database will never take, or that could not even be read; `problem` says why."""
        return self._pipeline.refused + self._unreadable

    @property
    def problem(self) -> str | None:
        """What went wrong last, None when nothing did."""
        return self._pipeline.problem

    def _track(
        self, prompt: str | None, decision: RoutingDecision, auto_route: bool, request_id: object | None
    ) -> None:
        try:
            row = row_of(
                decision,
                user_id=self._user_id,
                prompt=prompt,
                auto_route=auto_route,
                request_id=request_id,
                keep_prompt=self._keep_prompts,
            )
            self._pipeline.put(row)
        except Exception:
            # Whatever was given here: a request that was answered must not fail for its statistics.
            self._unreadable += 1
            _log.exception("A routing decision could not be taken")

    def _finish(self, within: timedelta | None) -> bool:
        done = self._pipeline.flush(_seconds(within))
        self._pipeline.rest()
        if not done:
            _log.warning("%d routing decisions are not sent yet.", self._pipeline.unsent)
        return done


class AsyncMetricsCollector(_Collector):
    """Tracks routing decisions of one person, for programs with an event loop.

    - `url` and `key` are the project's; without them `SUPABASE_URL` and `SUPABASE_KEY` are read. `token` is
      the person's access token, or a function that gives it; without one the key itself is used, which in a
      backend for many people is the service key.
    - Prompts are not stored, only a fingerprint and the length, unless `keep_prompts`.
    - Decisions are sent in batches, one insert each. While the database cannot be reached the newest
      `capacity` of them are kept; how many older ones were dropped is counted here and told to the board.
    - A `request_id` counts once for a person, however often it is told.
    - What is not sent when the program ends gets a few seconds to be. `aclose` waits for it before that.

    Raises `PublishError` when it is made without a project, and nothing after that.
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
        """Note a decision; returns at once."""
        self._track(prompt, decision, auto_route, request_id)

    async def flush(self, within: timedelta | None = CLOSING) -> bool:
        """Send everything now; False when it could not be done in this time."""
        return await asyncio.to_thread(self._pipeline.flush, _seconds(within))

    async def aclose(self, within: timedelta | None = CLOSING) -> bool:
        """Send what is left; False when it could not be done in this time."""
        return await asyncio.to_thread(self._finish, within)


class SyncMetricsCollector(_Collector):
    """As `AsyncMetricsCollector`, for programs without an event loop and for any thread."""

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
        """Note a decision; returns at once."""
        self._track(prompt, decision, auto_route, request_id)

    def flush(self, within: timedelta | None = CLOSING) -> bool:
        """Send everything now; False when it could not be done in this time."""
        return self._pipeline.flush(_seconds(within))

    def close(self, within: timedelta | None = CLOSING) -> bool:
        """Send what is left; False when it could not be done in this time."""
        return self._finish(within)


def _seconds(within: timedelta | None) -> float | None:
    return None if within is None else within.total_seconds()

"""Trying the way to Realtime once, for whoever wants to know whether it works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from live.audiences import EngineConfig
from live.changes import Record
from live.subscription import Binding, Subscription, Watch
from live.timing import Timing

WITHIN: Final = 12.0
"""Seconds a try takes at most; a cold hosted project needs several."""


def try_subscription(config: EngineConfig, tables: Sequence[str], token: str | None) -> timedelta:
    """Open a websocket, follow these tables with this token, and close it; return how long opening took.

    Blocks its thread. Raises `SubscriptionError`.
    """
    return asyncio.run(_try(config, tables, token))


async def _try(config: EngineConfig, tables: Sequence[str], token: str | None) -> timedelta:
    timing = replace(Timing(), open=WITHIN)
    subscription = Subscription(
        config.url,
        config.key,
        [Binding(table) for table in tables],
        timing,
        Watch(lambda: timing.quiet_heartbeat, _nothing_else),
        _ignore,
        lambda: None,
    )
    started = time.monotonic()
    try:
        await subscription.open(token)
        return timedelta(seconds=time.monotonic() - started)
    finally:
        await subscription.close()


async def _nothing_else() -> bool:
    """Ask nothing: the websocket alone is tried."""
    return False


def _ignore(_data: Record) -> None:
    """Nothing is shown of what arrives meanwhile."""

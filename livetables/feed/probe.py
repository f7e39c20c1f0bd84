"""Opens a subscription once, to find out whether the connection to Realtime works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from livetables.config import EngineConfig
from livetables.feed.connection import Connections, LivenessCheck
from livetables.feed.subscription import Binding, Subscription, SubscriptionConfig
from livetables.tables.changes import Record
from livetables.timing import Timing

WITHIN: Final = 12.0
"""Seconds the attempt may take. A cold hosted project needs several."""


def try_subscription(config: EngineConfig, tables: Sequence[str], token: str | None) -> timedelta:
    """Open a websocket, subscribe to these tables with this token, and close it.

    Return how long opening took. Blocks the calling thread. Raises `SubscriptionError`.
    """
    return asyncio.run(_try(config, tables, token))


async def _try(config: EngineConfig, tables: Sequence[str], token: str | None) -> timedelta:
    timing = replace(Timing(), open=WITHIN)
    liveness = LivenessCheck(lambda: timing.quiet_heartbeat, _no_other_check)
    bindings = [Binding(table) for table in tables]
    connections = Connections(config, timing, liveness, most_channels=1)
    subscription = Subscription(SubscriptionConfig(bindings, timing, connections), _ignore_data, lambda: None)
    started = time.monotonic()
    try:
        await subscription.open(token)
        return timedelta(seconds=time.monotonic() - started)
    finally:
        await subscription.close()


async def _no_other_check() -> bool:
    """Report that nothing else answers: only the websocket is tried."""
    return False


def _ignore_data(_data: Record) -> None:
    """Drop a change that arrives during the attempt."""

"""How often visitors of one address may try to sign in or to create an account.

To Auth all people of the app come from one address, the server's. Without a limit for each visitor, one of
them could use up what Auth grants that address, and keep everybody else out.
"""

from __future__ import annotations

import math
import time
from typing import Final

import streamlit as st
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from db.errors import SlowDownError

RATE: Final = RateLimitItemPerMinute(30, 5)
"""As many as GoTrue grants an address: 30 in five minutes."""

_LIMITER: Final = MovingWindowRateLimiter(MemoryStorage())


def count() -> None:
    """Count one attempt of the running session's visitor. Raises `SlowDownError` if it is one too many.

    Browsers on the server's own machine are not limited.
    """
    address = _address()
    if address is None or _LIMITER.hit(RATE, address):
        return
    wait = max(1, math.ceil(_LIMITER.get_window_stats(RATE, address).reset_time - time.time()))
    raise SlowDownError(f"That was tried too often. Please try again in {_minutes(wait)}.", wait)


def _address() -> str | None:
    """Return where the session's browser is, None for this machine.

    Streamlit gives no address for loopback. A proxy on this machine also connects from loopback, and appends
    the address that it serves to `X-Forwarded-For`; what stands before that may be invented by the visitor.
    """
    if st.context.ip_address is not None:
        return st.context.ip_address
    forwarded = st.context.headers.get("X-Forwarded-For", "")
    return forwarded.rsplit(",", 1)[-1].strip() or None


def _minutes(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"

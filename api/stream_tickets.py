"""Tickets that stand for an access token in an address, where the token itself must never be.

A browser's `EventSource` cannot send headers, and addresses end up in logs and histories. A ticket opens one
stream, within half a minute.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from api.errors import TooManyRequestsError

LIFETIME: Final = 30.0
"""Seconds for which a ticket is valid."""
MOST_PER_PERSON: Final = 20
"""Unused tickets that a person may hold."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The person that a ticket was given to, with their access token."""

    user_id: str
    token: str = field(repr=False)


class Tickets:
    """The unused tickets, by their hashes. Belongs to one event loop."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._unused: dict[str, tuple[Holder, float]] = {}

    def issue(self, holder: Holder) -> str:
        """Return a new ticket. Raises `TooManyRequestsError` if this person has too many unused ones."""
        self._drop_expired()
        expiries = [until for other, until in self._unused.values() if other.user_id == holder.user_id]
        if len(expiries) >= MOST_PER_PERSON:
            raise TooManyRequestsError(max(1, round(min(expiries) - self._now())))
        ticket = secrets.token_urlsafe(32)
        self._unused[_digest(ticket)] = (holder, self._now() + LIFETIME)
        return ticket

    def redeem(self, ticket: str) -> Holder | None:
        """Return the holder of a ticket and invalidate it; None if it is not valid."""
        self._drop_expired()
        holder, _ = self._unused.pop(_digest(ticket), (None, 0.0))
        return holder

    def _drop_expired(self) -> None:
        now = self._now()
        # The tickets are in the order of their issue, which is also that of their expiry.
        while self._unused and next(iter(self._unused.values()))[1] <= now:
            del self._unused[next(iter(self._unused))]


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()

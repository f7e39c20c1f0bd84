"""Tickets that stand for an access token in an address, where the token itself must never be.

A browser's EventSource cannot send headers, and addresses end up in logs and histories. A ticket is good for
one stream, begun within half a minute.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from api.errors import TooMany

GOOD_FOR: Final = 30.0
"""Seconds."""
MOST_A_PERSON: Final = 20
"""Tickets that a person may hold unused."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a ticket was given to, with their access token."""

    user_id: str
    token: str = field(repr=False)


class Tickets:
    """The tickets that nobody has used yet, by their hashes. Belongs to one event loop."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._open: dict[str, tuple[Holder, float]] = {}

    def give(self, holder: Holder) -> str:
        """Return a new ticket. Raises `TooMany` for somebody who keeps asking without using them."""
        self._forget()
        held = [until for other, until in self._open.values() if other.user_id == holder.user_id]
        if len(held) >= MOST_A_PERSON:
            raise TooMany(max(1, round(min(held) - self._now())))
        ticket = secrets.token_urlsafe(32)
        self._open[_digest(ticket)] = (holder, self._now() + GOOD_FOR)
        return ticket

    def take(self, ticket: str) -> Holder | None:
        """Return whose ticket this is, once."""
        self._forget()
        holder, _ = self._open.pop(_digest(ticket), (None, 0.0))
        return holder

    def _forget(self) -> None:
        now = self._now()
        # In the order they were given, which is that of their ends.
        while self._open and next(iter(self._open.values()))[1] <= now:
            del self._open[next(iter(self._open))]


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()

"""Verifies access tokens with Supabase, and caches the answers.

Supabase Auth says whose a token is (`GET /auth/v1/user`). That needs no secret, works with every kind of
signing key, and notices at once that an account was deleted. The answer is cached for a minute under the hash
of the token. Somebody who signs out within that minute can still use the old token here, as they can with
Postgres, which takes it until it expires.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from supabase_auth.errors import AuthApiError, AuthError

from db.clients import Clients
from db.errors import SignedOutError, from_auth
from livetables.auth.jwt import claims_of

LIFETIME: Final = 60.0
"""Seconds for which an answer is cached."""
CAPACITY: Final = 10_000

_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST: Final = 8_000
_CLOCK_SKEW: Final = 60.0
"""Seconds by which the clocks of this server and of Supabase may differ."""
_REFUSALS: Final = (401, 403, 404)
"""Statuses with which Auth refuses tokens: forged or expired, or their owner is banned or gone."""


class TokenCache:
    """Knows the owners of tokens. Thread-safe."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._owners: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def get(self, token: str) -> str | None:
        """Return the id of the token's owner if it was verified a short while ago."""
        with self._lock:
            user_id, until = self._owners.get(_digest(token), ("", 0.0))
        return user_id if self._now() < until else None

    def verify(self, token: str, clients: Clients) -> str:
        """Ask Supabase for the token's owner and return their id. Blocks.

        Raises `SignedOutError` for an invalid token, or another error of `db.errors` if Auth does not answer.
        """
        if len(token) > _LONGEST or not _JWT.fullmatch(token) or ends_at(token) + _CLOCK_SKEW <= self._now():
            raise SignedOutError
        try:
            response = clients.auth().get_user(token)
        except AuthApiError as error:
            refused = error.code and error.status in _REFUSALS
            raise SignedOutError if refused else from_auth(error) from error
        except AuthError as error:
            raise from_auth(error) from error
        if response is None:
            raise SignedOutError
        self._put(token, response.user.id)
        return response.user.id

    def _put(self, token: str, user_id: str) -> None:
        with self._lock:
            self._owners[_digest(token)] = (user_id, min(self._now() + LIFETIME, ends_at(token)))
            while len(self._owners) > CAPACITY:
                self._owners.popitem(last=False)


def ends_at(token: str) -> float:
    """Return the Unix time at which a token expires by its own claim, 0 if it has none."""
    expiry = claims_of(token).get("exp")
    try:
        return float(expiry) if isinstance(expiry, int | float) else 0.0
    except OverflowError:
        return 0.0


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

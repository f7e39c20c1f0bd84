"""Whose an access token is.

Supabase itself says so (`GET /auth/v1/user`). That needs no secret, works with every kind of signing key, and
finds out at once that an account was deleted. The answer is kept for a minute by the token's hash; whoever
signs out within that minute can do with the old token what Postgres lets them do with it anyway.
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
from db.errors import SignedOut, from_auth
from db.tokens import claims_of

REMEMBERED: Final = 60.0
"""Seconds for which the answer about a token counts."""
MOST_REMEMBERED: Final = 10_000

_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST: Final = 8_000
_SKEW: Final = 60.0
"""Seconds by which the clocks of this server and of Supabase may differ."""
_NO: Final = (401, 403, 404)
"""What Auth answers, with a code, to tokens that are forged or over, or whose person is blocked or gone."""


class Gate:
    """Knows whose the tokens are. Thread-safe; `user_of` blocks."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def known(self, token: str) -> str | None:
        """Return whose token this is, if that was asked a short while ago."""
        with self._lock:
            user_id, until = self._known.get(_digest(token), ("", 0.0))
        return user_id if self._now() < until else None

    def user_of(self, token: str, clients: Clients) -> str:
        """Return the id of the person whose token this is.

        Raises `SignedOut` for one that does not count, and what else the service says.
        """
        if len(token) > _LONGEST or not _JWT.fullmatch(token) or ends_at(token) + _SKEW <= self._now():
            raise SignedOut
        try:
            response = clients.auth().get_user(token)
        except AuthApiError as error:
            raise SignedOut if error.code and error.status in _NO else from_auth(error) from error
        except AuthError as error:
            raise from_auth(error) from error
        if response is None:
            raise SignedOut
        self._remember(token, response.user.id)
        return response.user.id

    def _remember(self, token: str, user_id: str) -> None:
        with self._lock:
            self._known[_digest(token)] = (user_id, min(self._now() + REMEMBERED, ends_at(token)))
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)


def ends_at(token: str) -> float:
    """Return the Unix time at which a token ends by its own words, 0 if it does not say."""
    ends = claims_of(token).get("exp")
    try:
        return float(ends) if isinstance(ends, int | float) else 0.0
    except OverflowError:
        return 0.0


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""The access tokens for work that continues after the request that started it was answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

from api.token_cache import ends_at
from db.errors import SignedOutError


class Token:
    """The newest access token of a person, for background work. Thread-safe."""

    def __init__(self, token: str, now: Callable[[], float]) -> None:
        self._token = token
        self._now = now

    def __call__(self) -> str:
        """Return the token. Raises `SignedOutError` if it has expired and the person sent no newer one."""
        token = self._token
        if ends_at(token) <= self._now():
            raise SignedOutError
        return token

    def update(self, token: str) -> None:
        """Use this token from now on, if it is valid for longer."""
        if ends_at(token) > ends_at(self._token):
            self._token = token


class Tokens:
    """The tokens of people with background work, each kept as long as somebody holds it. Thread-safe."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._held: WeakValueDictionary[str, Token] = WeakValueDictionary()

    def hold(self, user_id: str, token: str) -> Token:
        """Return the person's token; the caller keeps it as long as there is work."""
        with self._lock:
            held = self._held.get(user_id)
            if held is None:
                held = self._held[user_id] = Token(token, self._now)
        held.update(token)
        return held

    def seen(self, user_id: str, token: str) -> None:
        """Note that the person called with this token."""
        with self._lock:
            held = self._held.get(user_id)
        if held is not None:
            held.update(token)

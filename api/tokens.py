"""The tokens with which work goes on after the request that began it was answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

from api.gate import ends_at
from db.errors import SignedOut


class Token:
    """A person's newest access token, for what works for them in the background. Thread-safe."""

    def __init__(self, token: str, now: Callable[[], float]) -> None:
        self._token = token
        self._now = now

    def __call__(self) -> str:
        """Return it. Raises `SignedOut` when it has ended and the person has not come with a newer one."""
        token = self._token
        if ends_at(token) <= self._now():
            raise SignedOut
        return token

    def put(self, token: str) -> None:
        """Use this one, if it is good for longer."""
        if ends_at(token) > ends_at(self._token):
            self._token = token


class Tokens:
    """The token of everybody for whom something is going on. Whoever holds it keeps it here. Thread-safe."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._held: WeakValueDictionary[str, Token] = WeakValueDictionary()

    def hold(self, user_id: str, token: str) -> Token:
        """Return the person's token, to be kept for as long as there is work for them."""
        with self._lock:
            held = self._held.get(user_id)
            if held is None:
                held = self._held[user_id] = Token(token, self._now)
        held.put(token)
        return held

    def seen(self, user_id: str, token: str) -> None:
        """Note that the person called with this token."""
        with self._lock:
            held = self._held.get(user_id)
        if held is not None:
            held.put(token)

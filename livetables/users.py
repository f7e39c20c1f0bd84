"""What the engine needs of a signed-in user. The app's sign-in provides it; they share no class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class UserSession(Protocol):
    """One signed-in user, shared by all of their tabs."""

    @property
    def user_id(self) -> str:
        """The user's id, the `sub` claim of their tokens."""

    def access_token(self) -> str:
        """Return a token that is valid for a while. May block to refresh it; raises if signed out."""

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call `callback` with every new access token, on any thread. Return a function that stops this."""

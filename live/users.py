"""What the engine needs to know of a signed-in person. The app's sign-in gives it; no class is shared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class UserSession(Protocol):
    """One signed-in person, shared by all of their tabs."""

    @property
    def user_id(self) -> str:
        """The person's id, the `sub` of their tokens."""

    @property
    def claims(self) -> Mapping[str, object]:
        """What a table's `visible_to` may ask about this person, such as `role`."""

    def access_token(self) -> str:
        """Return a token that is good for a while yet. May block to refresh; raises when signed out."""

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call back, on any thread, with every new access token; return how to stop that."""

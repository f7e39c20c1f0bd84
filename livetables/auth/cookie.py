"""The cookie in which a browser keeps its sign-in, and which of two such cookies is newer."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"(?P<token>[^~]*)~(?P<session>[^~]+)~(?P<rotation>[0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """A refresh token, its session, and how often the session's token had been rotated before.

    Each refresh replaces the token, and processes that present the same token get the same next one. So the
    rotation orders the tokens of a session, without a clock.
    """

    token: str
    session_id: str = ""
    rotation: int = 0

    @classmethod
    def parse(cls, text: str) -> SessionCookie:
        """Read the text that `str` returns. Any other text is a token of an unknown session."""
        found = _FORM.fullmatch(text)
        return cls(found["token"], found["session"], int(found["rotation"])) if found else cls(text)

    def __str__(self) -> str:
        """Return the cookie's text."""
        return f"{self.token}~{self.session_id}~{self.rotation}"

    def newer_than(self, other: SessionCookie) -> bool:
        """Whether it is a later token of the same session."""
        return (
            bool(self.session_id) and self.session_id == other.session_id and self.rotation > other.rotation
        )

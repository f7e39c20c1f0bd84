"""What a browser keeps of a sign-in, and which of two such things is the newer one."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"(?P<token>[^~]*)~(?P<session>[^~]+)~(?P<turn>[0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Kept:
    """A refresh token, the session it is of, and its number in that session.

    Tokens rotate in a chain: whoever presents one gets the next, and of several processes that present the
    same all get the same. So the number orders what they know of one sign-in, without any clock.
    """

    token: str
    session_id: str = ""
    turn: int = 0

    @classmethod
    def parse(cls, text: str) -> Kept:
        """Read what `str` gives; a text of another form is a token of which nothing else is known."""
        found = _FORM.fullmatch(text)
        return cls(found["token"], found["session"], int(found["turn"])) if found else cls(text)

    def __str__(self) -> str:
        """Return it as the cookie's text."""
        return f"{self.token}~{self.session_id}~{self.turn}"

    def newer_than(self, other: Kept) -> bool:
        """Tell whether it is of the same session, and later."""
        return bool(self.session_id) and self.session_id == other.session_id and self.turn > other.turn

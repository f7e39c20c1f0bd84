"""The `User-Agent` that is sent to the Auth service in a browser's name."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 300
_UNSENDABLE: Final = re.compile(r"[^\x20-\x7e]+")


def agent_header(user_agent: str) -> dict[str, str]:
    """Return the header for what a browser says of itself; none when it says nothing.

    The text is the browser's own, so what does not belong in a header is left out.
    """
    sendable = _UNSENDABLE.sub("", user_agent)[:_LONGEST].strip()
    return {"User-Agent": sendable} if sendable else {}

"""What a test and the script of its tabs share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from livetables.engine import Engine
from livetables.tables.filters import Filter
from livetables.users import UserSession

engine: Engine
user: UserSession | None = None
users: dict[str, UserSession] = {}
"""The users by the parameter `user` of a tab's address."""
rendered: list[str] = []
"""The shared fragments that ran, oldest first."""
page = "first"
filters: tuple[Filter, ...] = ()
"""The filters that every tab applies to the things."""
gate = threading.Event()
"""The script of every tab waits for it at the end."""
gate.set()
pending: dict[str, str] = {}
"""What a user has written and nobody has confirmed, by the user's id."""


def _nothing() -> None:
    """Do nothing."""


inside: Callable[[], object] = _nothing
"""What the fragment of the things does before it shows them."""

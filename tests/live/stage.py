"""What a test and the script of its tabs share."""

from __future__ import annotations

import threading

from live.engine import Engine
from live.filters import Filter
from live.users import UserSession

engine: Engine
user: UserSession | None = None
page = "first"
filters: tuple[Filter, ...] = ()
"""What every tab chooses among the things."""
gate = threading.Event()
"""The script of every tab waits here at its end."""
gate.set()

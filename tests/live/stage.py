"""What a test and the script of its tabs share."""

from __future__ import annotations

import threading

from live.engine import Engine
from live.users import UserSession

engine: Engine
user: UserSession | None = None
gate = threading.Event()
"""The script of every tab waits here at its end."""
gate.set()

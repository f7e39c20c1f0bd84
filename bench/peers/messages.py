"""The messages that the polling app shows."""

from collections import deque
from typing import Final

MESSAGES: Final[deque[str]] = deque((f"What was said before, number {n}" for n in range(80)), maxlen=80)
"""The newest 80, oldest first."""

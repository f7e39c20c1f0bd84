"""Which sessions may upload files now, and how much: only those that show an uploader.

Streamlit takes an upload of anybody who opens a session, and keeps it in memory. The server's guard
(`request_guard.py`) asks here before it lets one through.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from livetables import rerun

MOST_BYTES: Final = 500 * 2**20
"""How many bytes of uploads one session may hold in memory."""


@dataclass(slots=True)
class _Session:
    permitted: bool = True
    files: dict[str, int] = field(default_factory=dict)
    """Bytes by the id of the file."""


class Uploads:
    """The uploads of all sessions. Methods may be called on any thread.

    `is_connected` returns whether a browser is connected to a session; the others are forgotten.
    """

    def __init__(self, is_connected: Callable[[str], bool], most_bytes: int = MOST_BYTES) -> None:
        self._is_connected = is_connected
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}

    def permit(self, session_id: str) -> None:
        """Let the session upload, because it shows an uploader."""
        with self._lock:
            self._forget_closed()
            self._sessions.setdefault(session_id, _Session()).permitted = True

    def withdraw(self, session_id: str) -> None:
        """Take uploads of the session no longer."""
        with self._lock:
            if session_id in self._sessions:
                self._sessions[session_id].permitted = False

    def room(self, session_id: str) -> int:
        """Return how many bytes the session may still upload, 0 if it may not upload at all."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None or not session.permitted:
                return 0
            return max(0, self._most_bytes - sum(session.files.values()))

    def arrived(self, session_id: str, file_id: str, size: int) -> None:
        """Count an upload of `size` bytes."""
        with self._lock:
            if session := self._sessions.get(session_id):
                session.files[file_id] = size

    def removed(self, session_id: str, file_id: str) -> None:
        """Count an upload no longer: the person has taken it back."""
        with self._lock:
            if session := self._sessions.get(session_id):
                session.files.pop(file_id, None)

    def _forget_closed(self) -> None:
        for session_id in [known for known in self._sessions if not self._is_connected(known)]:
            del self._sessions[session_id]


UPLOADS: Final = Uploads(rerun.is_connected)
"""The uploads of this process."""


def permit() -> None:
    """Let the running session upload. Call it where an uploader is shown."""
    if session_id := rerun.current_session():
        UPLOADS.permit(session_id)


def withdraw() -> None:
    """Take no more uploads of the running session. Call it at the beginning of a full run."""
    if session_id := rerun.current_session():
        UPLOADS.withdraw(session_id)

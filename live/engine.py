"""The engine: one per process, in a thread of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from live.changes import Key, Record
from live.snapshot import Snapshot
from live.status import FeedStatus
from live.tables import AnySpec
from live.users import UserSession


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Where the project is: `https://<ref>.supabase.co` and its anon or publishable key."""

    url: str
    key: str


class Engine:
    """Keeps every table current for every audience, and wakes the sessions that show what changed."""

    @classmethod
    def start(cls, config: EngineConfig, specs: Sequence[AnySpec]) -> Self:
        """Start the thread and the public feed; return at once."""
        raise NotImplementedError

    def stop(self) -> None:
        """Close every feed and end the thread."""
        raise NotImplementedError

    def wait_loaded(self, timeout: float | None = None, *, user_id: str | None = None) -> bool:
        """Wait for the public tables (and this user's) to be loaded; False after `timeout` seconds."""
        raise NotImplementedError

    def tables(self, user_id: str | None = None) -> Mapping[str, Snapshot[Any]]:
        """Return all tables this person may read, at one moment. A table not loaded yet is empty."""
        raise NotImplementedError

    def attach(self, session_id: str, user: UserSession | None) -> None:
        """Count this session in for wakes and keep its user's feed open. Idempotent."""
        raise NotImplementedError

    def detach(self, session_id: str) -> None:
        """Forget the session; the user's feed closes with the last one."""
        raise NotImplementedError

    def apply_written(self, table: str, record: Record, user_id: str | None = None) -> None:
        """Show a row that a write just returned at once; what the stream tells of it later changes nothing.

        `user_id` is the writer's for a private table; a public one goes to everybody.
        """
        raise NotImplementedError

    def apply_deleted(
        self, table: str, key: Key, version: int | None = None, user_id: str | None = None
    ) -> None:
        """Show at once that the writer deleted this row; `version` is the one they deleted, if known."""
        raise NotImplementedError

    def status(self, user_id: str | None = None) -> FeedStatus:
        """Return how the person is connected: the worse of the public feed and their own."""
        raise NotImplementedError

    def load_older(self, table: str, user_id: str | None = None, *, timeout: float = 10) -> bool:
        """Load the next older rows of a windowed table, waiting for them; False when there are none."""
        raise NotImplementedError

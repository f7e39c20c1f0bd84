"""Waiting for a write: no longer than the connection is there."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from db.auth import SignedIn
from db.errors import NotAllowed, Unreachable
from live.status import FeedState, FeedStatus
from ui import session, writing


@dataclass(slots=True)
class Me:
    """Somebody signed in."""

    user_id: str = "me"


@dataclass(slots=True)
class Engine:
    """As much of an engine as a write meets; it goes offline when it has been looked at often enough."""

    looks: int = 0
    offline_from: int = 10**9
    written: list[object] = field(default_factory=list)

    def status(self, _user_id: str | None = None) -> FeedStatus:
        """Tell how it is connected."""
        self.looks += 1
        state = FeedState.OFFLINE if self.looks > self.offline_from else FeedState.LIVE
        return FeedStatus(state, datetime.now(UTC))

    def apply_written(self, *written: object) -> None:
        """Note what is shown."""
        self.written.append(written)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(session, "signed_in", lambda: cast(SignedIn, Me()))
    monkeypatch.setattr(session, "engine", lambda: engine)
    monkeypatch.setattr(session, "my_id", lambda: "me")
    return engine


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """Give an event that a write waits for, set at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_a_row_that_is_written_is_shown(engine: Engine) -> None:
    record = {"id": "1"}
    assert writing.write("events", lambda _me: record) == record
    assert engine.written == [("events", record, "me")]


def test_a_refusal_is_returned(engine: Engine) -> None:
    def refuse(_me: SignedIn) -> Any:
        raise NotAllowed

    assert isinstance(writing.write("events", refuse), NotAllowed)
    assert engine.written == []


def test_nobody_waits_for_a_server_that_turns_out_to_be_gone(
    engine: Engine, hanging: threading.Event
) -> None:
    engine.offline_from = 2

    def hang(_me: SignedIn) -> Any:
        hanging.wait()
        return {}

    error = writing.write("events", hang)
    assert isinstance(error, Unreachable)
    assert error.perhaps_written
    assert not hanging.is_set()

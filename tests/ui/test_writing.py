"""Waiting for what is read: no longer than the connection is there."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
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
    """As much of an engine as a read meets; it goes offline when it has been looked at often enough."""

    looks: int = 0
    offline_from: int = 10**9

    def status(self, _user_id: str | None = None) -> FeedStatus:
        """Tell how it is connected."""
        self.looks += 1
        state = FeedState.OFFLINE if self.looks > self.offline_from else FeedState.LIVE
        return FeedStatus(state, datetime.now(UTC))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(session, "signed_in", lambda: cast(SignedIn, Me()))
    monkeypatch.setattr(session, "engine", lambda: engine)
    return engine


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """Give an event that a read waits for, set at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_what_is_read_is_returned(engine: Engine) -> None:
    assert writing.fetch(lambda _me: "read") == "read"


def test_a_refusal_is_returned(engine: Engine) -> None:
    def refuse(_me: SignedIn) -> Any:
        raise NotAllowed

    assert isinstance(writing.fetch(refuse), NotAllowed)


def test_nobody_waits_for_a_server_that_turns_out_to_be_gone(
    engine: Engine, hanging: threading.Event
) -> None:
    engine.offline_from = 2
    assert isinstance(writing.fetch(lambda _me: hanging.wait()), Unreachable)
    assert not hanging.is_set()


def test_without_a_connection_nothing_is_asked(engine: Engine) -> None:
    engine.offline_from = 0
    assert isinstance(writing.fetch(lambda _me: pytest.fail("It was asked.")), Unreachable)

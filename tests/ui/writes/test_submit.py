"""A read is waited for only while there is a connection."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from db.auth.accounts import SignedIn
from db.errors import NotAllowedError, UnreachableError
from livetables.feed.status import FeedState, FeedStatus
from ui.base import session
from ui.writes.submit import applying, fetch


@dataclass(slots=True)
class Me:
    """Somebody signed in."""

    user_id: str = "me"


@dataclass(slots=True)
class Engine:
    """The part of an engine that a read uses; it goes offline after so many looks."""

    looks: int = 0
    offline_from: int = 10**9

    def status(self, _user_id: str | None = None) -> FeedStatus:
        """Return the status of the connection."""
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
    """Return an event for a read to wait for; it is set at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_the_answer_is_returned(engine: Engine) -> None:
    assert fetch(lambda _me: "read") == "read"


def test_a_refusal_is_returned(engine: Engine) -> None:
    def refuse(_me: SignedIn) -> Any:
        raise NotAllowedError

    assert isinstance(fetch(refuse), NotAllowedError)


def test_waiting_ends_when_the_connection_is_lost(engine: Engine, hanging: threading.Event) -> None:
    engine.offline_from = 2
    assert isinstance(fetch(lambda _me: hanging.wait()), UnreachableError)
    assert not hanging.is_set()


def test_without_a_connection_nothing_is_read(engine: Engine) -> None:
    engine.offline_from = 0
    assert isinstance(fetch(lambda _me: pytest.fail("It was read.")), UnreachableError)


def test_a_write_that_cannot_be_shown_is_written_nevertheless(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a column that this app does not know would make every write look refused."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("a renamed column")

    monkeypatch.setattr(Engine, "apply_written", fail, raising=False)
    write = applying("users", lambda _me: {"id": "x"})
    assert write(cast(SignedIn, Me())) == {"id": "x"}

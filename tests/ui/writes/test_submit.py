"""A read is waited for only while there is a connection, and an outcome is told to whose write it was."""

import inspect
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from db.auth.accounts import SignedIn
from db.errors import EventFullError, NotAllowedError, UnreachableError
from livetables.feed.status import FeedState, FeedStatus
from tests.ui.fakes import ME, Connection, Database
from ui.base import feedback, session
from ui.base.write_queue import Expected, WriteQueues
from ui.writes import submit as submitting
from ui.writes.submit import applying, fetch, show_outcomes


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


@dataclass(slots=True)
class Services:
    """The services of a process that writes."""

    write_queues: WriteQueues
    engine: Connection


def test_the_outcome_of_a_write_is_told_to_its_owner_and_not_to_the_next_person_in_the_tab(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database, connection, toasts = Database(), Connection(), list[str]()
    in_the_tab, show = [ME], inspect.unwrap(show_outcomes)  # the fragment's body
    services = Services(WriteQueues(connection), connection)
    monkeypatch.setattr(session, "services", lambda: services)
    monkeypatch.setattr(session, "signed_in", lambda: in_the_tab[-1])
    monkeypatch.setattr(submitting, "current_session", lambda: "tab")
    monkeypatch.setattr(feedback, "toast_error", lambda error: toasts.append(str(error)))
    row = Expected("tavern_messages", ("secret",), "a secret", new=True)
    write = submitting.submit(database.write("a secret"), row, text="a secret")
    refused = submitting.submit(database.write("full"))
    assert session.pending("tavern_messages") == {"secret"}

    in_the_tab.append(cast(SignedIn, Me("bo")))
    database.errors = [NotAllowedError(), EventFullError()]
    database.open.set()
    assert write.wait(30)
    assert refused.wait(30)
    show()
    mine = session.my_write_queue()
    assert mine is not None
    assert not toasts
    assert not session.pending("tavern_messages")
    assert not mine.unsent("tavern_messages")

    in_the_tab.append(ME)
    show()
    assert toasts == [str(EventFullError())]

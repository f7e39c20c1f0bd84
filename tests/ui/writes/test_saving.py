"""A form's button counts once until the database has answered."""

import pytest
import streamlit as st

from tests.ui.fakes import ME, Connection, Database
from ui.base.write_queue import Write, WriteQueue, WriteQueues
from ui.writes.saving import Saving


@pytest.fixture
def queue() -> WriteQueue:
    return WriteQueues(Connection()).of(ME.user_id)


@pytest.fixture
def toasts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the toasts of a page whose button is pressed all the time."""
    shown: list[str] = []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "form_submit_button", lambda *_, **__: True)
    monkeypatch.setattr(st, "html", lambda *_: None)
    monkeypatch.setattr(st, "toast", lambda text, **_: shown.append(text))
    return shown


def test_a_second_press_counts_only_after_the_answer(queue: WriteQueue, toasts: list[str]) -> None:
    database, saving = Database(), Saving("form")
    assert saving.submit("Save")
    write = Write(database.write("row"), success_message="Saved")
    queue.add(write, ME)
    saving.begin(write)
    assert not saving.submit("Save")
    assert not saving.finished()
    database.open.set()
    assert write.wait(30)
    assert saving.result == "row"
    assert saving.finished()
    assert not saving.finished()
    assert toasts == ["Saved"]
    assert saving.submit("Save")

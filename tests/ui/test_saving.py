"""A form's button counts once, until what it asked for has been answered."""

import pytest
import streamlit as st

from tests.ui.hanging import ME, Connection, Database
from ui.conflicts import Saving
from ui.pending import Line, Write, Writes


@pytest.fixture
def line() -> Line:
    return Writes(Connection()).of(ME.user_id)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what is said in passing, on a page whose button is pressed all the time."""
    told: list[str] = []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "form_submit_button", lambda *_, **__: True)
    monkeypatch.setattr(st, "html", lambda *_: None)
    monkeypatch.setattr(st, "toast", lambda text, **_: told.append(text))
    return told


def test_a_second_press_counts_only_after_the_answer(line: Line, said: list[str]) -> None:
    database, saving = Database(), Saving("form")
    assert saving.submit("Save")
    write = Write(database.write("row"), words="Saved")
    line.put(write, ME)
    saving.begin(write)
    assert not saving.submit("Save")
    assert not saving.finished()
    database.open.set()
    assert write.wait(30)
    assert saving.result == "row"
    assert saving.finished()
    assert not saving.finished()
    assert said == ["Saved"]
    assert saving.submit("Save")

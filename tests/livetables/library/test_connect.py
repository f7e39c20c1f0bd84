"""Connecting: one database for each project."""

import threading

import pytest

from livetables.errors import ProjectError
from livetables.library import session
from livetables.library.connect import connect

URL = "http://127.0.0.1:9"


def test_a_project_has_one_database_whoever_asks() -> None:
    one = connect(url=URL, key="key")
    assert connect(url=f"{URL}/", key="key") is one
    assert connect(url=URL, key="other") is not one
    assert session.database() is not one


def test_connecting_starts_no_thread() -> None:
    before = set(threading.enumerate())
    connect(url=URL, key="another")
    assert set(threading.enumerate()) == before


def test_without_any_project_the_ways_to_name_one_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUPABASE_URL", "SUPABASE_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ProjectError, match=r"SUPABASE_URL.*live\.connect"):
        connect()

"""One run, found in the loaded tables or read from the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import streamlit as st

from db.hub.models import Role
from livetables.tables.snapshot import EMPTY
from tests.support.records import record_of
from tests.ui.samples import snapshot, user
from ui.agents import run
from ui.base import session

RUN = {**record_of("agent_runs"), "status": "completed"}


def test_who_is_no_longer_an_admin_does_not_see_a_run_that_they_read_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    role, reads = Role.ADMIN, []

    def table(name: str) -> Any:
        return snapshot([user("Ann", role=role)]) if name == "users" else EMPTY

    def fetch(_do: object) -> Mapping[str, object] | None:
        reads.append(role)
        return RUN if role is Role.ADMIN else None

    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(session, "my_id", lambda: "id-Ann")
    monkeypatch.setattr(session, "table", table)
    monkeypatch.setattr(run, "fetch", fetch)
    run_id = str(RUN["id"])
    for _ in range(2):
        found = run.find_run(run_id)
        assert found is not None
        assert found.id == run_id
    role = Role.MEMBER
    assert run.find_run(run_id) is None
    assert reads == [Role.ADMIN, Role.MEMBER]

"""What a session keeps of its own reads goes when the person's rights change."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from db.hub.models import Role
from db.ratings.models import PublicRatingRole
from livetables.tables.snapshot import EMPTY
from tests.support.records import record_of
from tests.ui.samples import snapshot, user
from ui.base import session
from ui.base.kept_reads import kept_reads

ANN = user("Ann", role=Role.ADMIN)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the tables of a session in which Ann is signed in, to be changed by the test."""
    tables: dict[str, Any] = {"users": snapshot([ANN])}
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(session, "my_id", lambda: ANN.id)
    monkeypatch.setattr(session, "table", lambda name: tables.get(name, EMPTY))
    return tables


def test_it_is_kept_while_the_rights_stay_the_same(tables: dict[str, Any]) -> None:
    kept_reads()["run"] = "read as an admin"
    tables["users"] = snapshot([user("Ann", role=Role.ADMIN, display_name="Anna", version=2)])
    assert kept_reads() == {"run": "read as an admin"}


def test_it_is_gone_with_the_role_and_stays_gone(tables: dict[str, Any]) -> None:
    kept_reads()["run"] = "read as an admin"
    tables["users"] = snapshot([user("Ann", role=Role.MEMBER)])
    assert kept_reads() == {}
    tables["users"] = snapshot([ANN])
    assert kept_reads() == {}


def test_it_is_gone_with_the_role_in_a_tenant(tables: dict[str, Any]) -> None:
    def rated(role: str) -> Any:
        record = {**record_of("rating_roles"), "user_id": ANN.id, "role": role}
        return snapshot([PublicRatingRole.from_record(record)], ("user_id",))

    tables["rating_roles"] = rated("manager")
    kept_reads()["task"] = "its secret"
    tables["rating_roles"] = rated("rater")
    assert kept_reads() == {}


def test_it_is_gone_when_somebody_else_is_signed_in(
    tables: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_reads()["run"] = "read as an admin"
    monkeypatch.setattr(session, "my_id", lambda: "somebody else")
    assert kept_reads() == {}

"""Rows as a write is expected to make them."""

from __future__ import annotations

from db.hub.models import TavernMessage
from tests.ui.samples import HOSTILE, message, user
from ui.base.expected import with_values

SAID = message("Hello", user("Ann"))


def test_a_row_takes_json_values_as_the_database_would() -> None:
    changed: TavernMessage = with_values(SAID, {"body": HOSTILE, "hidden_at": "2026-11-20T18:30:00+00:00"})
    assert (changed.body, changed.created_at, changed.id) == (HOSTILE, SAID.created_at, SAID.id)
    assert changed.hidden_at is not None

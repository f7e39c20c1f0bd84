"""Who changed what while somebody else has it open, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.ui.samples import snapshot, user
from ui import conflicts, session

ADA, BO = user("Ada"), user("Bo")
LABELS = {"location": "Location", "title": "Title", "capacity": "Capacity"}


@pytest.fixture(autouse=True)
def viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at it as Bo."""
    monkeypatch.setattr(session, "my_id", lambda: BO.id)
    monkeypatch.setattr(session, "users", lambda: snapshot([ADA, BO]))


@pytest.mark.parametrize(
    ("fields", "author", "told"),
    [
        (["location"], ADA.id, "Ada changed the location 20 s ago."),
        (["title", "location"], ADA.id, "Ada changed the title and location 20 s ago."),
        (["title", "location", "capacity"], BO.id, "You changed the title, location and capacity 20 s ago."),
        ([], None, "Somebody changed something 20 s ago."),
        (["location"], "gone", "Somebody changed the location 20 s ago."),
    ],
)
def test_it_says_who_changed_what_and_when(fields: list[str], author: str | None, told: str) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=20.3)
    assert conflicts.change_told(LABELS, fields, author, moment) == told

"""Whether a person belongs to a tenant, as far as the loaded tables say."""

from __future__ import annotations

from typing import Any

import pytest

from db.ratings.models import PublicRatingRole, RaterProfile
from livetables.tables.snapshot import EMPTY
from tests.support.records import NAMES, record_of
from tests.ui.samples import snapshot
from ui.base import session
from ui.ratings.tables import Membership, membership

ME = NAMES[0]


@pytest.mark.parametrize(
    ("role", "active", "expected"),
    [
        (None, None, Membership.NONE),
        ("rater", None, Membership.LOADING),
        ("none", None, Membership.LOADING),
        ("none", False, Membership.SUSPENDED),
        ("none", True, Membership.LOADING),
        ("rater", True, Membership.MEMBER),
        ("manager", True, Membership.MEMBER),
    ],
)
def test_who_was_suspended_is_not_taken_for_a_newcomer(
    monkeypatch: pytest.MonkeyPatch, role: str | None, active: bool | None, expected: Membership
) -> None:
    tables: dict[str, Any] = {}
    if role is not None:
        record = {**record_of("rating_roles"), "user_id": ME, "role": role}
        tables["rating_roles"] = snapshot([PublicRatingRole.from_record(record)], ("user_id",))
    if active is not None:
        record = {**record_of("rater_profiles"), "user_id": ME, "active": active}
        tables["rater_profiles"] = snapshot([RaterProfile.from_record(record)], ("user_id",))
    monkeypatch.setattr(session, "my_id", lambda: ME)
    monkeypatch.setattr(session, "table", lambda name: tables.get(name, EMPTY))
    assert membership() is expected

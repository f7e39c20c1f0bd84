"""Rating tables: which of them are loaded for whom, by the public rating role."""

from typing import Any

import pytest

from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from realtime_handlers.ratings import (
    JUDGMENTS,
    RATER_PROFILES,
    RATING_ROLES,
    RATING_TASKS,
    TENANT_INVITES,
    TENANTS,
)
from tests.support.records import NAMES, record_of

ME = NAMES[0]


@pytest.mark.parametrize(
    ("role", "visible", "filters"),
    [
        ("none", set[str](), (f"user_id=eq.{ME}",)),
        ("rater", {"rating_tasks", "judgments", "tenants"}, (f"user_id=eq.{ME}",)),
        ("manager", {"rating_tasks", "judgments", "tenants", "tenant_invites"}, ()),
    ],
)
def test_rating_tables_are_loaded_for_people_who_rate(
    role: str, visible: set[str], filters: tuple[str, ...]
) -> None:
    row = RATING_ROLES.written({**record_of("rating_roles"), "role": role})
    public = {"rating_roles": Snapshot(Rows[Any]().apply(row), 1)}
    specs = (RATING_TASKS, JUDGMENTS, TENANTS, TENANT_INVITES)
    assert {spec.name for spec in specs if spec.visible_to and spec.visible_to(ME, public)} == visible
    assert JUDGMENTS.filters is not None
    assert JUDGMENTS.filters(ME, public) == filters
    assert JUDGMENTS.permission_version is not None
    assert JUDGMENTS.permission_version(ME, public) == 1


def test_before_the_roles_are_loaded_nobody_rates() -> None:
    assert JUDGMENTS.visible_to is not None
    assert not JUDGMENTS.visible_to(ME, {})


@pytest.mark.parametrize(
    ("role", "filters"),
    [("none", (f"user_id=eq.{ME}",)), ("rater", ()), ("manager", ())],
)
def test_who_was_suspended_still_has_their_own_profile(role: str, filters: tuple[str, ...]) -> None:
    row = RATING_ROLES.written({**record_of("rating_roles"), "role": role})
    public = {"rating_roles": Snapshot(Rows[Any]().apply(row), 1)}
    assert RATER_PROFILES.visible_to is not None
    assert RATER_PROFILES.filters is not None
    assert RATER_PROFILES.visible_to(ME, public)
    assert RATER_PROFILES.filters(ME, public) == filters
    assert not RATER_PROFILES.visible_to("somebody who never rated", public)

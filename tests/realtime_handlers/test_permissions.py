"""Which rows a person's feeds subscribe to, by their role in the app."""

from typing import Any

import pytest

from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from livetables.tables.spec import PublicTables
from realtime_handlers.agents import AGENT_RUNS
from realtime_handlers.diagnostics import CHANGE_LOG
from realtime_handlers.people import USERS
from realtime_handlers.permissions import permission_version
from tests.support.records import NAMES, record_of

ME = NAMES[0]


def public(role: str, version: int = 1) -> PublicTables:
    """Return the public tables with this person's profile."""
    profile = USERS.written({**record_of("users"), "role": role, "version": version})
    return {"users": Snapshot(Rows[Any]().apply(profile), 1)}


@pytest.mark.parametrize(
    ("role", "filters"),
    [("member", (f"user_id=eq.{ME}",)), ("organizer", (f"user_id=eq.{ME}",)), ("admin", ())],
)
def test_members_subscribe_to_their_own_runs_and_admins_to_all(role: str, filters: tuple[str, ...]) -> None:
    assert AGENT_RUNS.filters is not None
    assert AGENT_RUNS.filters(ME, public(role)) == filters


@pytest.mark.parametrize(("role", "visible"), [("member", False), ("organizer", False), ("admin", True)])
def test_the_activity_log_is_for_admins(role: str, visible: bool) -> None:
    assert CHANGE_LOG.visible_to is not None
    assert CHANGE_LOG.visible_to(ME, public(role)) is visible
    assert not CHANGE_LOG.visible_to("somebody without a profile", public(role))


def test_every_change_of_a_profile_gives_a_new_permission_version() -> None:
    assert [permission_version(ME, public("admin", version)) for version in (1, 2)] == [1, 2]
    assert permission_version("somebody without a profile", public("admin")) == 0

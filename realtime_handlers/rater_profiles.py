"""Who rates for one's tenant, and how much: the live leaderboard."""

from __future__ import annotations

from db.rating_models import RaterProfile
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.rating_roles import rates, standing


def handle_rater_profiles_change(
    rows: Rows[RaterProfile], change: Change[RaterProfile]
) -> Rows[RaterProfile]:
    """Add or replace a profile, or remove it with its account."""
    return rows.apply(change)


SPEC = TableSpec(
    name="rater_profiles",
    key=("user_id",),
    parse=RaterProfile.from_record,
    version=lambda profile: profile.version,
    handler=handle_rater_profiles_change,
    audience=Audience.USER,
    visible_to=rates,
    standing=standing,
)

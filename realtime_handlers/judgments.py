"""Judgments: a rater's own, and the tenant's for its managers."""

from __future__ import annotations

from db.rating_task_models import Judgment
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.rating_roles import own_rows, rates, standing


def handle_judgments_change(rows: Rows[Judgment], change: Change[Judgment]) -> Rows[Judgment]:
    """Add or replace a judgment; one that was taken back stays, and says so."""
    return rows.apply(change)


SPEC = TableSpec(
    name="judgments",
    key=("id",),
    parse=Judgment.from_record,
    version=lambda judgment: judgment.version,
    handler=handle_judgments_change,
    audience=Audience.USER,
    order="created_at",
    window=1000,
    visible_to=rates,
    standing=standing,
    filters=own_rows,
)

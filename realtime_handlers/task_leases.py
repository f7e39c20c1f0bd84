"""Who has which task: a rater's own, and the tenant's for its managers."""

from __future__ import annotations

from db.rating_task_models import TaskLease
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.rating_roles import own_rows, rates, standing


def handle_task_leases_change(rows: Rows[TaskLease], change: Change[TaskLease]) -> Rows[TaskLease]:
    """Add or replace a lease, or remove it with its account."""
    return rows.apply(change)


SPEC = TableSpec(
    name="task_leases",
    key=("id",),
    parse=TaskLease.from_record,
    version=lambda lease: lease.version,
    handler=handle_task_leases_change,
    audience=Audience.USER,
    order="created_at",
    window=1000,
    visible_to=rates,
    standing=standing,
    filters=own_rows,
)

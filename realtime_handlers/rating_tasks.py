"""The queue of one's tenant: tasks without what is to be judged."""

from __future__ import annotations

from db.rating_task_models import RatingTask
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.rating_roles import rates, standing


def handle_rating_tasks_change(rows: Rows[RatingTask], change: Change[RatingTask]) -> Rows[RatingTask]:
    """Add or replace a task."""
    return rows.apply(change)


SPEC = TableSpec(
    name="rating_tasks",
    key=("id",),
    parse=RatingTask.from_record,
    version=lambda task: task.version,
    handler=handle_rating_tasks_change,
    audience=Audience.USER,
    order="created_at",
    window=1000,
    visible_to=rates,
    standing=standing,
)

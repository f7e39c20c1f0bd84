"""What tasks ask for, in a line each: for lists of tasks."""

from __future__ import annotations

from collections.abc import Sequence

from db import columns, rows
from db.columns import Record
from db.rating_campaigns import CONTENTS
from db.rows import Caller

_IDS = 100  # they go into an address, which may not become too long


def prompts_of(me: Caller, task_ids: Sequence[str]) -> dict[str, str]:
    """Read the prompts of tasks by task id, of those that this person may see."""
    found: dict[str, str] = {}
    for start in range(0, len(task_ids), _IDS):
        for record in _some(me, task_ids[start : start + _IDS]):
            found[columns.text(record, "task_id")] = columns.text(record, "prompt")
    return found


def _some(me: Caller, task_ids: Sequence[str]) -> list[Record]:
    return rows.run(
        me, CONTENTS, lambda table: table.select("task_id", "prompt").in_("task_id", list(task_ids))
    )

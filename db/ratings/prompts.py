"""Reading the prompts of many tasks, for lists of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db import rows
from db.caller import Caller
from db.columns import Model
from db.ratings.campaigns import CONTENTS


@dataclass(frozen=True, slots=True)
class _TaskPrompt(Model):
    task_id: str
    prompt: str


def prompts_of(me: Caller, task_ids: Sequence[str]) -> dict[str, str]:
    """Read the prompts of tasks, by task id. Tasks whose content this person may not see are left out."""
    records = rows.find_all(me, CONTENTS, "task_id", task_ids, select="task_id,prompt")
    found = [_TaskPrompt.from_record(record) for record in records]
    return {row.task_id: row.prompt for row in found}

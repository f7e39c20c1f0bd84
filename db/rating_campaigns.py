"""Campaigns and their tasks, as managers handle them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.columns import Record
from db.errors import NotAllowed
from db.rating_drafts import CampaignDraft, TaskDraft, shuffled
from db.rating_task_models import TaskContent, TaskSecret, TaskStatus
from db.rows import Caller

__all__ = [
    "CampaignDraft",
    "TaskDraft",
    "add_tasks",
    "change",
    "content_of",
    "create",
    "put_back",
    "secret_of",
    "set_priority",
    "shuffled",
    "withdraw",
]

CAMPAIGNS = "campaigns"
TASKS = "rating_tasks"
CONTENTS = "rating_task_contents"
SECRETS = "rating_task_secrets"

_BATCH = 500


def create(me: Caller, campaign_id: str, tenant_id: str, draft: CampaignDraft) -> Record:
    """Make a campaign, once, however often it is asked for with this id."""
    values = cast("rows.Values", {**draft.values(), "tenant_id": tenant_id, "created_by": me.user_id})
    return rows.insert(me, CAMPAIGNS, {"id": campaign_id}, values)


def change(me: Caller, campaign_id: str, values: Mapping[str, object], version: int) -> Record:
    """Change some of a campaign's columns; raises `Conflict` when somebody else did first."""
    return rows.update(me, CAMPAIGNS, {"id": campaign_id}, cast("rows.Values", values), version)


def add_tasks(me: Caller, campaign_id: str, drafts: Sequence[TaskDraft]) -> list[Record]:
    """Add tasks to the queue, 500 a request; return their rows of `rating_tasks`.

    Raises `Invalid` with the number of the task (of its request) that is not possible; of that request
    nothing was added.
    """
    made: list[Record] = []
    for start in range(0, len(drafts), _BATCH):
        some = [draft.values() for draft in drafts[start : start + _BATCH]]
        params = {"p_campaign": campaign_id, "p_tasks": some}
        made += cast("list[Record]", rows.again(partial(rows.call, me, "create_rating_tasks", params)))
    return made


def set_priority(me: Caller, task_id: str, priority: int) -> Record:
    """Let a task come sooner (greater) or later."""
    return _task(me, task_id, {"priority": priority})


def withdraw(me: Caller, task_id: str) -> Record:
    """Take a task out of the queue; its judgments stay."""
    return _task(me, task_id, {"status": TaskStatus.WITHDRAWN.value})


def put_back(me: Caller, task_id: str) -> Record:
    """Put a withdrawn task into the queue again; the database finds its status."""
    return _task(me, task_id, {"status": TaskStatus.PENDING.value})


def content_of(me: Caller, task_id: str) -> TaskContent | None:
    """Read what is to be judged: managers always, raters while they have the task and after their vote."""
    found = rows.find(me, CONTENTS, {"task_id": task_id})
    return TaskContent.from_record(found) if found else None


def secret_of(me: Caller, task_id: str) -> TaskSecret | None:
    """Read who the candidates of a task are, as a manager."""
    found = rows.find(me, SECRETS, {"task_id": task_id})
    return TaskSecret.from_record(found) if found else None


def _task(me: Caller, task_id: str, values: rows.Values) -> Record:
    # Whatever the version: a busy task changes faster than a person can press a button.
    def build(table: SyncRequestBuilder) -> SyncSelectRequestBuilder:
        return rows.narrowed(table.update(values), {"id": task_id})

    written = rows.again(lambda: rows.run(me, TASKS, build))
    if not written:
        raise NotAllowed
    return written[0]

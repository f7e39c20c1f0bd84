"""Writing campaigns and their tasks, which managers do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db import rows
from db.caller import Caller
from db.columns import Record
from db.errors import InvalidValueError, NotAllowedError
from db.ratings.drafts import CampaignDraft, TaskDraft, shuffled
from db.ratings.task_models import TaskContent, TaskSecret, TaskStatus

__all__ = [
    "AddedTasks",
    "CampaignDraft",
    "TaskDraft",
    "add_good_tasks",
    "add_tasks",
    "change",
    "content_of",
    "create",
    "known_tasks",
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
_BATCH_BYTES = 2 * 2**20
"""About the JSON of one request. A gateway takes no more than some megabytes."""
_MOST_ASKED = 1000
"""As in the function `known_rating_tasks`."""
_MOST_REFUSED = 50
"""So many refused tasks of one call are looked for, with about ten requests each."""


@dataclass(frozen=True, slots=True)
class AddedTasks:
    """The rows of the tasks that were added, and those that the database refused, with its reasons."""

    records: list[Record] = field(default_factory=list)
    refused: list[tuple[TaskDraft, InvalidValueError]] = field(default_factory=list)


def create(me: Caller, campaign_id: str, tenant_id: str, draft: CampaignDraft) -> Record:
    """Create a campaign. Calling it again with the same id changes nothing."""
    values = cast("rows.Values", {**draft.values(), "tenant_id": tenant_id, "created_by": me.user_id})
    return rows.insert(me, CAMPAIGNS, {"id": campaign_id}, values)


def change(me: Caller, campaign_id: str, values: Mapping[str, object], version: int) -> Record:
    """Change columns of a campaign that this person saw at `version`."""
    return rows.update(me, CAMPAIGNS, {"id": campaign_id}, cast("rows.Values", values), version)


def add_tasks(me: Caller, campaign_id: str, drafts: Sequence[TaskDraft]) -> list[Record]:
    """Add tasks to the queue, 500 a request; return their rows of `rating_tasks`.

    Raises `InvalidValueError` for a task that the database refuses, with its number within the request. The
    tasks of earlier requests have been added then, those of this and later ones have not.
    """
    made: list[Record] = []
    for start in range(0, len(drafts), _BATCH):
        batch = [draft.values() for draft in drafts[start : start + _BATCH]]
        params = {"p_campaign": campaign_id, "p_tasks": batch}
        made += cast(
            "list[Record]", rows.repeat_if_lost(partial(rows.call, me, "create_rating_tasks", params))
        )
    return made


def add_good_tasks(me: Caller, campaign_id: str, drafts: Sequence[TaskDraft]) -> AddedTasks:
    """Add the tasks that the database takes. A refused request is divided until the bad tasks are found.

    Raises `InvalidValueError` when far too many are bad. What was added until then stays.
    """
    added = AddedTasks()
    for batch in _batches(drafts):
        _add_good(me, campaign_id, batch, added)
    return added


def _add_good(me: Caller, campaign_id: str, drafts: Sequence[TaskDraft], added: AddedTasks) -> None:
    try:
        added.records.extend(add_tasks(me, campaign_id, drafts))
    except InvalidValueError as error:
        if len(added.refused) == _MOST_REFUSED:
            raise
        if len(drafts) == 1:
            added.refused.append((drafts[0], error))
            return
        middle = len(drafts) // 2
        _add_good(me, campaign_id, drafts[:middle], added)
        _add_good(me, campaign_id, drafts[middle:], added)


def known_tasks(me: Caller, campaign_id: str, drafts: Sequence[TaskDraft]) -> dict[str, str]:
    """Return the drafts that a campaign has already, by their ids, and why. Only managers are told all.

    A draft is known if a task was made of the same content, or if another task has its `external_id`.
    """
    reasons: dict[str, str] = {}
    for start in range(0, len(drafts), _MOST_ASKED):
        part = drafts[start : start + _MOST_ASKED]
        params = {
            "p_campaign": campaign_id,
            "p_ids": [draft.id for draft in part],
            "p_external_ids": [draft.external_id for draft in part if draft.external_id is not None],
        }
        found = cast("list[Record]", rows.call(me, "known_rating_tasks", params))
        ids, external_ids = ({record[name] for record in found} for name in ("id", "external_id"))
        for draft in part:
            if draft.id in ids:
                reasons[draft.id] = "This task is in the campaign already."
            elif draft.external_id is not None and draft.external_id in external_ids:
                reasons[draft.id] = (
                    f"The external_id {draft.external_id!r} is that of a task in the campaign already."
                )
    return reasons


def _batches(drafts: Sequence[TaskDraft]) -> Iterator[list[TaskDraft]]:
    batch: list[TaskDraft] = []
    size = 0
    for draft in drafts:
        its_size = len(json.dumps(draft.values()))
        if batch and (len(batch) == _BATCH or size + its_size > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(draft)
        size += its_size
    if batch:
        yield batch


def set_priority(me: Caller, task_id: str, priority: int) -> Record:
    """Change the priority of a task; tasks with a greater priority come first."""
    return _update_task(me, task_id, {"priority": priority})


def withdraw(me: Caller, task_id: str) -> Record:
    """Remove a task from the queue; its judgments stay."""
    return _update_task(me, task_id, {"status": TaskStatus.WITHDRAWN.value})


def put_back(me: Caller, task_id: str) -> Record:
    """Put a withdrawn task back into the queue. The database sets the status that its judgments give it."""
    return _update_task(me, task_id, {"status": TaskStatus.PENDING.value})


def content_of(me: Caller, task_id: str) -> TaskContent | None:
    """Read the content of a task. Raters may while they hold it and after their vote, managers always."""
    found = rows.find(me, CONTENTS, {"task_id": task_id})
    return TaskContent.from_record(found) if found else None


def secret_of(me: Caller, task_id: str) -> TaskSecret | None:
    """Read who the candidates of a task are; only managers may."""
    found = rows.find(me, SECRETS, {"task_id": task_id})
    return TaskSecret.from_record(found) if found else None


def _update_task(me: Caller, task_id: str, values: rows.Values) -> Record:
    # The version does not matter, because a busy task changes faster than a person can press a button.
    def build(table: SyncRequestBuilder) -> SyncSelectRequestBuilder:
        return rows.where(table.update(values), {"id": task_id})

    written = rows.repeat_if_lost(lambda: rows.run(me, TASKS, build))
    if not written:
        raise NotAllowedError
    return written[0]

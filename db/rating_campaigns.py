"""Campaigns and their tasks, as managers handle them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from db import rows
from db.columns import Record
from db.errors import NotAllowed
from db.rating_models import CampaignStatus
from db.rating_task_models import AutoCheckStatus, TaskContent, TaskSecret, TaskStatus, Verdict
from db.rows import Caller

CAMPAIGNS = "campaigns"
TASKS = "rating_tasks"
CONTENTS = "rating_task_contents"
SECRETS = "rating_task_secrets"

_BATCH = 500


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """What a manager says of a campaign. `task_types` empty means any; `gold_share` is 0 to 1."""

    name: str
    brand_id: str | None = None
    guidelines: str = ""
    task_types: Sequence[str] = ()
    judgments_per_task: int = 3
    lease_seconds: int = 600
    undo_seconds: int = 60
    gold_share: float = 0.0
    status: CampaignStatus = CampaignStatus.DRAFT

    def values(self) -> dict[str, object]:
        """Return the columns."""
        return {
            "name": self.name,
            "brand_id": self.brand_id,
            "guidelines": self.guidelines,
            "task_types": list(self.task_types),
            "judgments_per_task": self.judgments_per_task,
            "lease_seconds": self.lease_seconds,
            "undo_seconds": self.undo_seconds,
            "gold_share": self.gold_share,
            "status": self.status.value,
        }


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """A pair of candidates to be judged. The candidates are JSON values; a gold verdict makes it a gold task.

    `id` is made by the caller, so that adding tasks again after a lost answer adds nothing.
    """

    id: str
    task_type: str
    prompt: str
    candidate_a: object
    candidate_b: object
    name_a: str
    name_b: str
    model_a: str | None = None
    model_b: str | None = None
    priority: int = 0
    external_id: str | None = None
    gold_verdict: Verdict | None = None
    gold_reason: str | None = None

    def swapped(self) -> TaskDraft:
        """Return the same pair with the sides changed."""
        turned = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
        return replace(
            self,
            candidate_a=self.candidate_b,
            candidate_b=self.candidate_a,
            name_a=self.name_b,
            name_b=self.name_a,
            model_a=self.model_b,
            model_b=self.model_a,
            gold_verdict=turned.get(self.gold_verdict, self.gold_verdict) if self.gold_verdict else None,
        )

    def values(self) -> dict[str, object]:
        """Return the task as `create_rating_tasks()` reads it."""
        return {
            "id": self.id,
            "task_type": self.task_type,
            "prompt": self.prompt,
            "candidate_a": self.candidate_a,
            "candidate_b": self.candidate_b,
            "name_a": self.name_a,
            "name_b": self.name_b,
            "model_a": self.model_a,
            "model_b": self.model_b,
            "priority": self.priority,
            "external_id": self.external_id,
            "gold_verdict": self.gold_verdict.value if self.gold_verdict else None,
            "gold_reason": self.gold_reason,
        }


def shuffled(drafts: Iterable[TaskDraft], chance: random.Random | None = None) -> Iterator[TaskDraft]:
    """Change the sides of about half of the pairs, so that a habit of raters for one side favors nobody."""
    chance = chance or random.SystemRandom()
    for draft in drafts:
        yield draft.swapped() if chance.random() < 0.5 else draft


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
        made += cast("list[Record]", rows.call(me, "create_rating_tasks", params))
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


def ask_for_check(me: Caller, task_id: str) -> Record:
    """Note that the candidates of a task are being checked."""
    return _task(me, task_id, {"auto_check_status": AutoCheckStatus.PENDING.value})


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
    written = rows.run(me, TASKS, lambda table: rows.narrowed(table.update(values), {"id": task_id}))
    if not written:
        raise NotAllowed
    return written[0]

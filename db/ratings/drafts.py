"""Campaigns and tasks to create. The rating core uses it too, so it imports no client."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from db.ratings.models import CampaignStatus
from db.ratings.task_models import Verdict


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """What a manager enters for a campaign. No `task_types` means any; `gold_share` is 0 to 1."""

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
    """A pair of answers to compare. The answers are JSON values; a gold verdict makes it a gold task.

    The caller makes the `id`, so that adding a task again after a lost answer changes nothing.
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
        """Return the same task with the sides exchanged."""
        swapped = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
        return replace(
            self,
            candidate_a=self.candidate_b,
            candidate_b=self.candidate_a,
            name_a=self.name_b,
            name_b=self.name_a,
            model_a=self.model_b,
            model_b=self.model_a,
            gold_verdict=swapped.get(self.gold_verdict, self.gold_verdict) if self.gold_verdict else None,
        )

    def values(self) -> dict[str, object]:
        """Return the task as `create_rating_tasks()` of the schema reads it."""
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


def shuffled(drafts: Iterable[TaskDraft], generator: random.Random | None = None) -> Iterator[TaskDraft]:
    """Exchange the sides of about half of the tasks, so that a rater's preferred side favors no candidate."""
    generator = generator or random.SystemRandom()
    for draft in drafts:
        yield draft.swapped() if generator.random() < 0.5 else draft

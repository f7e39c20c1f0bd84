"""Tasks, leases, judgments, as values. A leaf, as `db.models`.

A rater sees the queue (`RatingTask`), and what a task says (`TaskContent`) once it is leased to them. Who the
candidates are (`TaskSecret`) is for managers; raters are told after their vote (`Reveal`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from db import columns
from db.columns import Record


class TaskStatus(StrEnum):
    """Where a task is on its way through the queue."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class LeaseState(StrEnum):
    """What became of a lease."""

    ACTIVE = "active"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    RELEASED = "released"
    EXPIRED = "expired"


class AutoCheckStatus(StrEnum):
    """What the edge function `auto-check` found."""

    NONE = "none"
    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"


class Verdict(StrEnum):
    """Which candidate is better."""

    A = "A"
    B = "B"
    TIE = "tie"
    BOTH_BAD = "both_bad"


@dataclass(frozen=True, slots=True)
class RatingTask:
    """One place in the queue, without what is to be judged.

    `leased_until` are the ends of the leases that are held; an end in the past is a free place already,
    though nobody has written that down: `free_places(now)` and `status_at(now)` know.
    """

    id: str
    tenant_id: str
    campaign_id: str
    brand_id: str | None
    task_type: str
    priority: int
    status: TaskStatus
    judgments_wanted: int
    judgments_count: int
    leased_until: Sequence[datetime]
    auto_check_status: AutoCheckStatus
    auto_check: Mapping[str, object] | None
    completed_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.rating_tasks`."""
        return cls(
            id=columns.text(record, "id"),
            tenant_id=columns.text(record, "tenant_id"),
            campaign_id=columns.text(record, "campaign_id"),
            brand_id=columns.optional_text(record, "brand_id"),
            task_type=columns.text(record, "task_type"),
            priority=columns.integer(record, "priority"),
            status=TaskStatus(columns.text(record, "status")),
            judgments_wanted=columns.integer(record, "judgments_wanted"),
            judgments_count=columns.integer(record, "judgments_count"),
            leased_until=columns.moments(record, "leased_until"),
            auto_check_status=AutoCheckStatus(columns.text(record, "auto_check_status")),
            auto_check=columns.optional_object(record, "auto_check"),
            completed_at=columns.optional_moment(record, "completed_at"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

    def leased(self, now: datetime) -> int:
        """Return how many raters have the task now."""
        return sum(end > now for end in self.leased_until)

    def free_places(self, now: datetime) -> int:
        """Return how many more raters could be given the task now."""
        if self.status in (TaskStatus.COMPLETED, TaskStatus.WITHDRAWN):
            return 0
        return max(0, self.judgments_wanted - self.judgments_count - self.leased(now))

    def status_at(self, now: datetime) -> TaskStatus:
        """Return the status as it is now: a task whose only lease has run out is pending again."""
        if self.status is TaskStatus.IN_PROGRESS and not self.judgments_count and not self.leased(now):
            return TaskStatus.PENDING
        return self.status


@dataclass(frozen=True, slots=True)
class TaskContent:
    """What is to be judged: a prompt and two answers to it, as JSON values."""

    task_id: str
    prompt: str
    candidate_a: object
    candidate_b: object

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.rating_task_contents`."""
        return cls(
            task_id=columns.text(record, "task_id"),
            prompt=columns.text(record, "prompt"),
            candidate_a=record.get("candidate_a"),
            candidate_b=record.get("candidate_b"),
        )


@dataclass(frozen=True, slots=True)
class TaskSecret:
    """Who the candidates of a task are, and the answer it should get if it is gold. For managers."""

    task_id: str
    external_id: str | None
    name_a: str
    name_b: str
    model_a: str | None
    model_b: str | None
    gold_verdict: Verdict | None
    gold_reason: str | None

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.rating_task_secrets`."""
        gold = columns.optional_text(record, "gold_verdict")
        return cls(
            task_id=columns.text(record, "task_id"),
            external_id=columns.optional_text(record, "external_id"),
            name_a=columns.text(record, "name_a"),
            name_b=columns.text(record, "name_b"),
            model_a=columns.optional_text(record, "model_a"),
            model_b=columns.optional_text(record, "model_b"),
            gold_verdict=Verdict(gold) if gold else None,
            gold_reason=columns.optional_text(record, "gold_reason"),
        )


@dataclass(frozen=True, slots=True)
class TaskLease:
    """Who has which task, and until when."""

    id: str
    tenant_id: str
    campaign_id: str
    task_id: str
    user_id: str
    rater_id: str
    state: LeaseState
    claimed_at: datetime
    expires_at: datetime
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.task_leases`."""
        return cls(
            id=columns.text(record, "id"),
            tenant_id=columns.text(record, "tenant_id"),
            campaign_id=columns.text(record, "campaign_id"),
            task_id=columns.text(record, "task_id"),
            user_id=columns.text(record, "user_id"),
            rater_id=columns.text(record, "rater_id"),
            state=LeaseState(columns.text(record, "state")),
            claimed_at=columns.moment(record, "claimed_at"),
            expires_at=columns.moment(record, "expires_at"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

    def running(self, now: datetime) -> bool:
        """Whether the task is this rater's now."""
        return self.state is LeaseState.ACTIVE and self.expires_at > now


@dataclass(frozen=True, slots=True)
class Judgment:
    """One verdict of one rater on one task. `user_id` is None when the account is gone."""

    id: str
    tenant_id: str
    campaign_id: str
    task_id: str
    user_id: str | None
    rater_id: str
    verdict: Verdict
    comment: str
    seconds: float
    judged_at: datetime
    sealed_at: datetime | None
    undone_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.judgments`."""
        return cls(
            id=columns.text(record, "id"),
            tenant_id=columns.text(record, "tenant_id"),
            campaign_id=columns.text(record, "campaign_id"),
            task_id=columns.text(record, "task_id"),
            user_id=columns.optional_text(record, "user_id"),
            rater_id=columns.text(record, "rater_id"),
            verdict=Verdict(columns.text(record, "verdict")),
            comment=columns.text(record, "comment"),
            seconds=columns.number(record, "seconds"),
            judged_at=columns.moment(record, "judged_at"),
            sealed_at=columns.optional_moment(record, "sealed_at"),
            undone_at=columns.optional_moment(record, "undone_at"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

    @property
    def counts(self) -> bool:
        """Whether it was not taken back."""
        return self.undone_at is None

    def undoable(self, undo_seconds: int, now: datetime) -> bool:
        """Whether its rater could take it back now; the database has the last word."""
        open_still = self.sealed_at is None and self.undone_at is None
        return open_still and now - self.judged_at <= timedelta(seconds=undo_seconds)


@dataclass(frozen=True, slots=True)
class CandidateTally:
    """How often each of two candidates was preferred, by final judgments. `first` comes before `second`."""

    id: str
    tenant_id: str
    campaign_id: str
    brand_id: str | None
    first: str
    second: str
    first_wins: int
    second_wins: int
    ties: int
    both_bad: int
    published: bool
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.candidate_tallies`."""
        return cls(
            id=columns.text(record, "id"),
            tenant_id=columns.text(record, "tenant_id"),
            campaign_id=columns.text(record, "campaign_id"),
            brand_id=columns.optional_text(record, "brand_id"),
            first=columns.text(record, "first"),
            second=columns.text(record, "second"),
            first_wins=columns.integer(record, "first_wins"),
            second_wins=columns.integer(record, "second_wins"),
            ties=columns.integer(record, "ties"),
            both_bad=columns.integer(record, "both_bad"),
            published=columns.boolean(record, "published"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that is leased to a rater, with what is to be judged. `now` is the database's clock."""

    lease: TaskLease
    task: RatingTask
    content: TaskContent
    now: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read the answer of `claim_task()`, `resume_task()` or `undo_judgment()`."""
        return cls(
            lease=TaskLease.from_record(columns.nested(record, "lease")),
            task=RatingTask.from_record(columns.nested(record, "task")),
            content=TaskContent.from_record(columns.nested(record, "content")),
            now=columns.moment(record, "now"),
        )


@dataclass(frozen=True, slots=True)
class OtherVerdict:
    """What somebody said of a task, as it is told to a rater who has judged it."""

    rater_id: str
    verdict: Verdict
    comment: str


@dataclass(frozen=True, slots=True)
class Reveal:
    """What a rater may know after the vote."""

    name_a: str
    name_b: str
    model_a: str | None
    model_b: str | None
    gold_verdict: Verdict | None
    gold_reason: str | None
    judgments: Sequence[OtherVerdict]

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read the answer of `reveal_task()`."""
        gold = columns.optional_text(record, "gold_verdict")
        return cls(
            name_a=columns.text(record, "name_a"),
            name_b=columns.text(record, "name_b"),
            model_a=columns.optional_text(record, "model_a"),
            model_b=columns.optional_text(record, "model_b"),
            gold_verdict=Verdict(gold) if gold else None,
            gold_reason=columns.optional_text(record, "gold_reason"),
            judgments=tuple(_other(item) for item in columns.items(record, "judgments")),
        )


def _other(item: object) -> OtherVerdict:
    given = columns.nested({"judgment": item}, "judgment")
    return OtherVerdict(
        rater_id=columns.text(given, "rater_id"),
        verdict=Verdict(columns.text(given, "verdict")),
        comment=columns.text(given, "comment"),
    )

"""Rows of tasks, leases and judgments. Imports no client: the rating core uses it too.

A rater sees the queue (`RatingTask`), and the content of a task (`TaskContent`) once it is leased to them.
Managers also see who the candidates are (`TaskSecret`); raters see it after their vote (`Reveal`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from db.columns import AwareDatetime, Model


class TaskStatus(StrEnum):
    """The states of a task in the queue."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class LeaseState(StrEnum):
    """The states of a lease."""

    ACTIVE = "active"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    RELEASED = "released"
    EXPIRED = "expired"


class AutoCheckStatus(StrEnum):
    """The result of the edge function `auto-check`."""

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
class RatingTask(Model):
    """A task in the queue, without its content.

    `leased_until` holds the ends of its leases. A lease that has ended frees its place at once, before the
    database updates the row; `free_places(now)` and `status_at(now)` take that into account.
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
    leased_until: tuple[AwareDatetime, ...]
    auto_check_status: AutoCheckStatus
    auto_check: Mapping[str, object] | None
    completed_at: AwareDatetime | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    def leased(self, now: datetime) -> int:
        """Return how many raters hold a lease now."""
        return sum(end > now for end in self.leased_until)

    def free_places(self, now: datetime) -> int:
        """Return how many more raters can take the task now."""
        if self.status in (TaskStatus.COMPLETED, TaskStatus.WITHDRAWN):
            return 0
        return max(0, self.judgments_wanted - self.judgments_count - self.leased(now))

    def status_at(self, now: datetime) -> TaskStatus:
        """Return the status now: a task without judgments is pending again after its last lease ends."""
        if self.status is TaskStatus.IN_PROGRESS and not self.judgments_count and not self.leased(now):
            return TaskStatus.PENDING
        return self.status


@dataclass(frozen=True, slots=True)
class TaskContent(Model):
    """A prompt and two answers to compare; the answers are JSON values."""

    task_id: str
    prompt: str
    candidate_a: object
    candidate_b: object


@dataclass(frozen=True, slots=True)
class TaskSecret(Model):
    """Who the candidates of a task are and, for a gold task, the correct verdict. Only for managers."""

    task_id: str
    external_id: str | None
    name_a: str
    name_b: str
    model_a: str | None
    model_b: str | None
    gold_verdict: Verdict | None
    gold_reason: str | None


@dataclass(frozen=True, slots=True)
class TaskLease(Model):
    """A task that is reserved for a rater until `expires_at`."""

    id: str
    tenant_id: str
    campaign_id: str
    task_id: str
    user_id: str
    rater_id: str
    state: LeaseState
    claimed_at: AwareDatetime
    expires_at: AwareDatetime
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    def running(self, now: datetime) -> bool:
        """Whether the rater holds the task now."""
        return self.state is LeaseState.ACTIVE and self.expires_at > now


@dataclass(frozen=True, slots=True)
class Judgment(Model):
    """A rater's verdict on a task. `user_id` is None after the account was deleted."""

    id: str
    tenant_id: str
    campaign_id: str
    task_id: str
    user_id: str | None
    rater_id: str
    verdict: Verdict
    comment: str
    seconds: float
    judged_at: AwareDatetime
    sealed_at: AwareDatetime | None
    undone_at: AwareDatetime | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @property
    def counts(self) -> bool:
        """Whether it counts: it has not been undone."""
        return self.undone_at is None


@dataclass(frozen=True, slots=True)
class CandidateTally(Model):
    """How often each of two candidates won, by final judgments. `first` sorts before `second`."""

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
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Claim(Model):
    """A task that is leased to a rater, with its content. `now` is the database's clock."""

    lease: TaskLease
    task: RatingTask
    content: TaskContent
    now: AwareDatetime


@dataclass(frozen=True, slots=True)
class OtherVerdict(Model):
    """Another rater's verdict, as shown to a rater who has judged the same task."""

    rater_id: str
    verdict: Verdict
    comment: str


@dataclass(frozen=True, slots=True)
class Reveal(Model):
    """What a rater sees after the vote."""

    name_a: str
    name_b: str
    model_a: str | None
    model_b: str | None
    gold_verdict: Verdict | None
    gold_reason: str | None
    judgments: tuple[OtherVerdict, ...]

"""The runs of agents and what happened in them, as values. A leaf, as `db.models`: publishers use it too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self

from db import columns
from db.columns import Record


class RunStatus(StrEnum):
    """Where a run is in its flow."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    AWAITING_VERIFICATION = "awaiting_verification"
    VERIFICATION_IN_PROGRESS = "verification_in_progress"
    VERIFICATION_PASSED = "verification_passed"
    VERIFICATION_FAILED = "verification_failed"
    COMPLETED = "completed"
    ESCALATED_TO_HUMAN = "escalated_to_human"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Whether the run is history, and as such immutable."""
        return self in _FINISHED

    def may_become(self, after: RunStatus) -> bool:
        """Whether the flow leads from here to there. The database has the last word, with the same table."""
        return after in FLOW[self]


_FINISHED: Final = frozenset(
    {RunStatus.COMPLETED, RunStatus.ESCALATED_TO_HUMAN, RunStatus.FAILED, RunStatus.CANCELLED}
)
_ALWAYS: Final = frozenset({RunStatus.FAILED, RunStatus.CANCELLED})

FLOW: Final[Mapping[RunStatus, frozenset[RunStatus]]] = {
    RunStatus.PENDING: _ALWAYS | {RunStatus.IN_PROGRESS},
    RunStatus.IN_PROGRESS: _ALWAYS | {RunStatus.AWAITING_VERIFICATION, RunStatus.COMPLETED},
    RunStatus.AWAITING_VERIFICATION: _ALWAYS | {RunStatus.VERIFICATION_IN_PROGRESS},
    RunStatus.VERIFICATION_IN_PROGRESS: _ALWAYS
    | {RunStatus.VERIFICATION_PASSED, RunStatus.VERIFICATION_FAILED},
    RunStatus.VERIFICATION_PASSED: _ALWAYS | {RunStatus.COMPLETED},
    RunStatus.VERIFICATION_FAILED: _ALWAYS | {RunStatus.IN_PROGRESS, RunStatus.ESCALATED_TO_HUMAN},
    RunStatus.COMPLETED: frozenset(),
    RunStatus.ESCALATED_TO_HUMAN: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}
"""From each status, where a run can go next (`private.run_may_become` in the schema)."""

STUCK_AFTER: Final = timedelta(seconds=60)
"""A run that is not finished and gave no sign of life for so long is taken for stuck."""


class EventKind(StrEnum):
    """What an event of a run tells."""

    STEP = "step"
    LOG = "log"
    STATUS = "status"


class Level(StrEnum):
    """How serious an event is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One run of an agent. `progress_percent` is 0 to 100, `cost_usd` in dollars."""

    id: str
    task_id: str | None
    user_id: str
    agent_name: str
    agent_id: str
    status: RunStatus
    status_at: datetime
    current_step: str | None
    progress_percent: float
    result: object
    error: str | None
    metadata: Mapping[str, object]
    verification_attempts: int
    verification_evidence: Sequence[object]
    tokens: int
    cost_usd: Decimal
    retry_of: str | None
    started_at: datetime
    heartbeat_at: datetime
    completed_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.agent_runs`."""
        return cls(
            id=columns.text(record, "id"),
            task_id=columns.optional_text(record, "task_id"),
            user_id=columns.text(record, "user_id"),
            agent_name=columns.text(record, "agent_name"),
            agent_id=columns.text(record, "agent_id"),
            status=RunStatus(columns.text(record, "status")),
            status_at=columns.moment(record, "status_at"),
            current_step=columns.optional_text(record, "current_step"),
            progress_percent=columns.number(record, "progress_percent"),
            result=record.get("result"),
            error=columns.optional_text(record, "error"),
            metadata=columns.optional_object(record, "metadata") or {},
            verification_attempts=columns.integer(record, "verification_attempts"),
            verification_evidence=columns.items(record, "verification_evidence"),
            tokens=columns.integer(record, "tokens"),
            cost_usd=columns.decimal(record, "cost_usd"),
            retry_of=columns.optional_text(record, "retry_of"),
            started_at=columns.moment(record, "started_at"),
            heartbeat_at=columns.moment(record, "heartbeat_at"),
            completed_at=columns.optional_moment(record, "completed_at"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

    def stuck(self, now: datetime) -> bool:
        """Whether the run should be going on, but shows no sign of it."""
        return not self.status.finished and now - self.heartbeat_at > STUCK_AFTER


@dataclass(frozen=True, slots=True)
class AgentRunEvent:
    """Something that happened in a run. The message of a log event may hold many lines."""

    id: str
    run_id: str
    user_id: str
    seq: int
    kind: EventKind
    level: Level
    message: str
    data: Mapping[str, object] | None
    at: datetime
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.agent_run_events`."""
        return cls(
            id=columns.text(record, "id"),
            run_id=columns.text(record, "run_id"),
            user_id=columns.text(record, "user_id"),
            seq=columns.integer(record, "seq"),
            kind=EventKind(columns.text(record, "kind")),
            level=Level(columns.text(record, "level")),
            message=columns.text(record, "message"),
            data=columns.optional_object(record, "data"),
            at=columns.moment(record, "at"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

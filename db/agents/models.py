"""Rows of agent runs and their events. Imports no client: publishers use it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from db.columns import AwareDatetime, Model


class RunStatus(StrEnum):
    """The states of a run; `FLOW` says which may follow which."""

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
        """Whether the run has ended. The database does not change a finished run any more."""
        return self in _FINISHED

    def may_become(self, after: RunStatus) -> bool:
        """Whether `after` may follow this status. The database decides, by the same rules."""
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
"""The statuses that may follow each status. `private.run_may_become` in the schema holds the same rules."""

STUCK_AFTER: Final = timedelta(seconds=60)
"""An unfinished run without a heartbeat for this long counts as stuck."""


class EventKind(StrEnum):
    """The kinds of events of a run."""

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
class AgentRun(Model):
    """One run of an agent. `progress_percent` is 0 to 100, `cost_usd` in dollars."""

    id: str
    task_id: str | None
    user_id: str
    agent_name: str
    agent_id: str
    status: RunStatus
    status_at: AwareDatetime
    current_step: str | None
    progress_percent: float
    result: object
    error: str | None
    metadata: Mapping[str, object]
    verification_attempts: int
    verification_evidence: tuple[object, ...]
    tokens: int
    cost_usd: Decimal
    retry_of: str | None
    started_at: AwareDatetime
    heartbeat_at: AwareDatetime
    completed_at: AwareDatetime | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    def stuck(self, now: datetime) -> bool:
        """Whether the run is unfinished but has sent no heartbeat for `STUCK_AFTER`."""
        return not self.status.finished and now - self.heartbeat_at > STUCK_AFTER


@dataclass(frozen=True, slots=True)
class AgentRunEvent(Model):
    """One event of a run. The message of a log event may have many lines."""

    id: str
    run_id: str
    user_id: str
    seq: int
    kind: EventKind
    level: Level
    message: str
    data: Mapping[str, object] | None
    at: AwareDatetime
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

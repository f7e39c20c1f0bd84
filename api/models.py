"""The bodies, queries and answers of the routes for runs of agents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from db.agents.models import (
    AgentRun,
    AgentRunEvent,
    EventKind,
    Level,
    RunStatus,
)

LARGEST_PAGE: Final = 200

_ID: Final = "7d9e5a52-6f0b-4c2f-9d1c-3f1f0f6f9a11"
_OTHER_ID: Final = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
_MOMENT: Final = "2026-11-21T09:30:00Z"

NO_NUL: Final = r"^[^\x00]*$"
"""Postgres cannot store the null character."""
LONGEST_OPTIONS: Final = 16_000
"""Characters of JSON. They are part of the run's metadata, of which the schema takes 20 kB."""

Task = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=NO_NUL)]


class StrictModel(BaseModel):
    """A body or query. Unknown fields are refused, so that a misspelled one does not go unnoticed."""

    model_config = ConfigDict(extra="forbid")


class RunRequest(StrictModel):
    """A request to start an agent."""

    agent: Name = Field(description="The name of the agent, one of `GET /agents`.", examples=["docs-checker"])
    task_id: Task | None = Field(
        None,
        description="A description or id of the task, for yourself.",
        examples=["Check the project's documents"],
    )
    options: dict[str, object] = Field(
        default_factory=dict,
        description="The options of the agent; `GET /agents` has their schema.",
        examples=[{"pattern": "docs/*"}],
    )

    @field_validator("options")
    @classmethod
    def _check_storable(cls, options: dict[str, object]) -> dict[str, object]:
        """Refuse what the database would refuse, even where the agent would take it."""
        try:
            text = json.dumps(options, allow_nan=False)
        except ValueError as error:
            raise PydanticCustomError("not_finite", "Numbers have to be finite") from error
        if "\\u0000" in text:
            raise PydanticCustomError("nul", "Texts cannot contain the character U+0000")
        if len(text) > LONGEST_OPTIONS:
            raise PydanticCustomError("too_large", f"Options have up to {LONGEST_OPTIONS:,} characters")
        return options


class RunQuery(StrictModel):
    """The filters and the page of a list of runs."""

    status: RunStatus | None = Field(None, description="Only runs in this status.")
    agent: Name | None = Field(None, description="Only runs of this agent.")
    user_id: UUID | None = Field(None, description="Only runs of this person; admins see all.")
    limit: int = Field(50, ge=1, le=LARGEST_PAGE, description="The largest number of runs to return.")
    before: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="The value of `next` on the page before."
    )


class Run(BaseModel):
    """One run of an agent."""

    id: UUID = Field(examples=[_ID])
    agent: str = Field(description="The name of the agent.", examples=["docs-checker"])
    agent_id: str = Field(description="Which agent of that name.", examples=["docs-checker"])
    task_id: str | None = Field(examples=["Check the project's documents"])
    user_id: UUID = Field(description="Whose run it is.", examples=[_OTHER_ID])
    status: RunStatus = Field(examples=["in_progress"])
    status_at: datetime = Field(description="Since when.", examples=[_MOMENT])
    current_step: str | None = Field(examples=["Checking README.md"])
    progress_percent: float = Field(ge=0, le=100, examples=[42.5])
    tokens: int = Field(ge=0, description="Used so far.", examples=[1200])
    cost_usd: float = Field(ge=0, description="Spent so far, in US dollars.", examples=[0.0024])
    result: object = Field(description="The result of the agent, any JSON.", examples=[{"findings": 0}])
    error: str | None = Field(description="Why it failed, if it did.", examples=[None])
    metadata: Mapping[str, object] = Field(examples=[{"options": {"pattern": "docs/*"}}])
    verification_attempts: int = Field(ge=0, examples=[0])
    verification_evidence: Sequence[object] = Field(examples=[[]])
    retry_of: UUID | None = Field(description="The run that this one tries again.", examples=[None])
    started_at: datetime = Field(examples=[_MOMENT])
    heartbeat_at: datetime = Field(description="When the agent last reported anything.", examples=[_MOMENT])
    completed_at: datetime | None = Field(examples=[None])
    created_at: datetime = Field(examples=[_MOMENT])
    updated_at: datetime = Field(examples=[_MOMENT])
    version: int = Field(ge=1, description="Increases with every change.", examples=[3])

    @classmethod
    def of(cls, run: AgentRun) -> Self:
        """Make it from a row."""
        return cls.model_validate(_values(run))


class RunEvent(BaseModel):
    """An event of a run. The message of a log event may have many lines."""

    id: UUID = Field(examples=[_OTHER_ID])
    seq: int = Field(description="The order in which the agent reported it; 0 for statuses.", examples=[1])
    kind: EventKind = Field(examples=["step"])
    level: Level = Field(examples=["info"])
    message: str = Field(examples=["Checking README.md"])
    data: Mapping[str, object] | None = Field(examples=[None])
    at: datetime = Field(examples=[_MOMENT])

    @classmethod
    def of(cls, event: AgentRunEvent) -> Self:
        """Make it from a row."""
        return cls(
            id=UUID(event.id),
            seq=event.seq,
            kind=event.kind,
            level=event.level,
            message=event.message,
            data=event.data,
            at=event.at,
        )


class RunDetails(Run):
    """One run and its events."""

    events: Sequence[RunEvent] = Field(description="Oldest first; only the newest 1000 if there are more.")

    @classmethod
    def with_events(cls, run: AgentRun, events: Sequence[AgentRunEvent]) -> Self:
        """Make it from rows."""
        return cls.model_validate({**_values(run), "events": [RunEvent.of(event) for event in events]})


class RunPage(BaseModel):
    """A page of runs, newest first."""

    runs: Sequence[Run]
    next: str | None = Field(
        description="Pass it as `before` for the next page; null when there is none.", examples=[None]
    )


class Started(BaseModel):
    """A run that was accepted. Its agent starts in a moment."""

    run_id: UUID = Field(examples=[_ID])
    status: RunStatus = Field(examples=["pending"])
    url: str = Field(description="The address of the run.", examples=[f"/api/agents/runs/{_ID}"])


class AgentInfo(BaseModel):
    """An agent that can be started here."""

    name: str = Field(examples=["docs-checker"])
    description: str = Field(examples=["Checks the links and the style of the project's documents."])
    options: Mapping[str, object] = Field(description="The JSON schema of its options.")


def _values(run: AgentRun) -> dict[str, object]:
    names = set(Run.model_fields) - {"agent"}
    return {"agent": run.agent_name, **{name: getattr(run, name) for name in names}}

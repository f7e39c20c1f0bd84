"""The keywords of `start_run`, in one place for both publishers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Required, TypedDict

from db.agents.models import RunStatus


class RunOptions(TypedDict, total=False):
    """The keyword arguments of `start_run`; `NewRun` says what they mean."""

    agent_name: Required[str]
    task_id: str | None
    user_id: str | None
    agent_id: str | None
    metadata: Mapping[str, object] | None
    retry_of: str | None
    status: RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that is about to start.

    - `agent_name` is shown on the board, up to 80 characters; `agent_id` tells several agents of one name
      apart and defaults to the name.
    - `task_id` is the program's own id or description of the task, up to 200 characters.
    - `user_id` is the owner, where the token may write for more than one person.
    - `metadata` is any JSON object, up to 16,000 characters.
    - `retry_of` is the id of the run that this one tries again.
    - `status` is `IN_PROGRESS`, or `PENDING` for a run that an agent will claim later.
    """

    agent_name: str
    task_id: str | None = None
    user_id: str | None = None
    agent_id: str | None = None
    metadata: Mapping[str, object] | None = None
    retry_of: str | None = None
    status: RunStatus = RunStatus.IN_PROGRESS

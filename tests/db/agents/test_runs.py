"""Agent runs: started and cancelled once, though answers are lost."""

import uuid

import pytest

from db.agents import runs
from db.agents.models import AgentRun, RunStatus
from db.agents.runs import RunDraft
from db.auth.accounts import SignedIn
from db.errors import InvalidValueError


def test_a_run_is_started_and_cancelled_once(lossy_once: SignedIn) -> None:
    run_id = str(uuid.uuid4())
    started = AgentRun.from_record(runs.start(lossy_once, run_id, RunDraft("writer", "w", "chapter")))
    assert (started.status, started.version) == (RunStatus.PENDING, 1)
    ended = AgentRun.from_record(runs.cancel(lossy_once, run_id))
    assert (ended.status, ended.version) == (RunStatus.CANCELLED, 2)
    with pytest.raises(InvalidValueError):
        runs.cancel(lossy_once, run_id)

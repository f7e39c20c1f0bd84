"""The rows that pages expect of a write are those that the database makes, but for times and versions."""

import uuid
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

import pytest

from db.agents.models import AgentRun
from db.agents.runs import RunDraft
from db.columns import Record
from db.ratings.drafts import CampaignDraft, TaskDraft
from db.ratings.models import Campaign, CampaignStatus
from db.ratings.task_models import RatingTask
from local_supabase.stack.runtime import StackInfo
from tests.support.people import Person, sign_up
from ui.agents.actions import expected_cancelled, expected_run
from ui.ratings.add_tasks import new_task
from ui.ratings.campaigns import new_campaign

_BY_THE_DATABASE = {"version", "created_at", "updated_at", "started_at", "status_at", "heartbeat_at"}


def values_of(row: Any) -> dict[str, object]:
    return {each.name: getattr(row, each.name) for each in fields(row) if each.name not in _BY_THE_DATABASE}


@pytest.fixture
def me(stack: StackInfo) -> Person:
    return sign_up(stack, "Seer")


def first(answer: object) -> Record:
    return cast("list[Record]", answer)[0]


def test_a_run(me: Person) -> None:
    expected = expected_run(str(uuid.uuid4()), me.user_id, RunDraft("writer", "w-1", "chapter"))
    values = {"id": expected.id, "user_id": me.user_id, "agent_name": "writer", "agent_id": "w-1"}
    runs = me.client.table("agent_runs")
    made = AgentRun.from_record(first(runs.insert({**values, "task_id": "chapter"}).execute().data))
    assert values_of(expected) == values_of(made)
    ended = first(runs.update({"status": "cancelled"}).eq("id", made.id).execute().data)
    shown, written = values_of(expected_cancelled(made)), values_of(AgentRun.from_record(ended))
    assert (shown.pop("completed_at") is None) == (written.pop("completed_at") is None)
    assert shown == written


def test_a_campaign_and_its_tasks(me: Person) -> None:
    tenant, key = f"t_{uuid.uuid4().hex[:12]}", str(uuid.uuid4())
    me.client.rpc("create_tenant", {"p_id": tenant, "p_name": tenant}).execute()
    draft = CampaignDraft("Autumn", "acme", "Look well.", ("chat",), 2, status=CampaignStatus.ACTIVE)
    row = {**draft.values(), "id": key, "tenant_id": tenant, "created_by": me.user_id}
    made = Campaign.from_record(first(me.client.table("campaigns").insert(cast("Any", row)).execute().data))
    expected = new_campaign(key, tenant, me.user_id, draft)
    assert values_of(expected) == values_of(made)

    task = TaskDraft(str(uuid.uuid4()), "chat", "Which?", "a", "b", "one", "two", priority=7)
    params: Mapping[str, object] = {"p_campaign": key, "p_tasks": [task.values()]}
    added = me.client.rpc("create_rating_tasks", dict(params)).execute().data
    assert values_of(new_task(expected, task)) == values_of(RatingTask.from_record(first(added)))

"""What is shown before it is written is what the database makes of it, but for its clock and its counting."""

import uuid
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

import pytest

from db.agent_models import AgentRun
from db.agent_runs import RunDraft
from db.models import Record
from db.rating_drafts import CampaignDraft, TaskDraft
from db.rating_models import Campaign, CampaignStatus
from db.rating_task_models import RatingTask
from local_supabase.runtime import StackInfo
from tests.support.people import Person, sign_up
from ui.agent_runs import cancelled, new_run
from ui.rating_add import new_task
from ui.rating_campaigns import new_campaign

_BY_THE_DATABASE = {"version", "created_at", "updated_at", "started_at", "status_at", "heartbeat_at"}


def values_of(row: Any) -> dict[str, object]:
    return {each.name: getattr(row, each.name) for each in fields(row) if each.name not in _BY_THE_DATABASE}


@pytest.fixture
def me(stack: StackInfo) -> Person:
    return sign_up(stack, "Seer")


def one(answer: object) -> Record:
    return cast("list[Record]", answer)[0]


def test_a_run(me: Person) -> None:
    foretold = new_run(str(uuid.uuid4()), me.user_id, RunDraft("writer", "w-1", "chapter"), None)
    values = {"id": foretold.id, "user_id": me.user_id, "agent_name": "writer", "agent_id": "w-1"}
    runs = me.client.table("agent_runs")
    made = AgentRun.from_record(one(runs.insert({**values, "task_id": "chapter"}).execute().data))
    assert values_of(foretold) == values_of(made)
    ended = one(runs.update({"status": "cancelled"}).eq("id", made.id).execute().data)
    shown, is_so = values_of(cancelled(made)), values_of(AgentRun.from_record(ended))
    assert (shown.pop("completed_at") is None) == (is_so.pop("completed_at") is None)
    assert shown == is_so


def test_a_campaign_and_its_tasks(me: Person) -> None:
    tenant, key = f"t_{uuid.uuid4().hex[:12]}", str(uuid.uuid4())
    me.client.rpc("create_tenant", {"p_id": tenant, "p_name": tenant}).execute()
    draft = CampaignDraft("Autumn", "acme", "Look well.", ("chat",), 2, status=CampaignStatus.ACTIVE)
    row = {**draft.values(), "id": key, "tenant_id": tenant, "created_by": me.user_id}
    made = Campaign.from_record(one(me.client.table("campaigns").insert(cast("Any", row)).execute().data))
    foretold = new_campaign(key, tenant, me.user_id, draft)
    assert values_of(foretold) == values_of(made)

    task = TaskDraft(str(uuid.uuid4()), "chat", "Which?", "a", "b", "one", "two", priority=7)
    params: Mapping[str, object] = {"p_campaign": key, "p_tasks": [task.values()]}
    added = me.client.rpc("create_rating_tasks", dict(params)).execute().data
    assert values_of(new_task(foretold, task)) == values_of(RatingTask.from_record(one(added)))

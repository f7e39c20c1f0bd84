"""Campaigns and tasks as managers set them up: the same on every database."""

from __future__ import annotations

import traceback
import uuid
from dataclasses import replace

import pytest

from db.ratings.drafts import CampaignDraft
from db.ratings.task_models import TaskStatus, Verdict
from ratings.errors import RefusedError
from tests.ratings.workbench import Workbench, draft

A = Verdict.A


def test_a_withdrawn_task_cannot_be_judged_until_it_is_put_back(bench: Workbench) -> None:
    campaign, (task,) = bench.campaign()
    rater = bench.rater()
    bench.claimed(campaign, rater)
    assert bench.campaigns.withdraw(task).status is TaskStatus.WITHDRAWN
    with pytest.raises(RefusedError, match="withdrawn"):
        bench.store.submit(task, rater, A)
    assert bench.claimed(campaign, rater) is None
    assert bench.campaigns.put_back(task).status is TaskStatus.PENDING
    assert bench.claimed(campaign, rater) == task


def test_tasks_are_added_all_or_none_and_once(bench: Workbench) -> None:
    campaign, _ = bench.campaign([], task_types=["sql"])
    good, bad = draft(task_type="sql"), draft(task_type="sql", name_a="adapter")
    with pytest.raises(RefusedError):
        bench.campaigns.add_tasks(campaign, [good, bad])
    for _ in range(2):
        (task,) = bench.campaigns.add_tasks(campaign, [good])
        assert task.id == good.id
    assert bench.campaigns.open_count(campaign) == 1
    with pytest.raises(RefusedError, match="Task 1"):
        bench.campaigns.add_tasks(campaign, [draft()])


@pytest.mark.parametrize(
    "settings", [{"lease_seconds": 4}, {"undo_seconds": -1}, {"name": "x" * 121}, {"name": ""}], ids=str
)
def test_an_invalid_campaign_is_refused(bench: Workbench, settings: dict[str, object]) -> None:
    wanted = replace(CampaignDraft("Tool calls"), **settings)  # type: ignore[arg-type]  # by name
    with pytest.raises(RefusedError):
        bench.campaigns.create(str(uuid.uuid4()), bench.tenant, wanted)


@pytest.mark.parametrize(
    "given",
    [{"priority": 1_001}, {"prompt": "x" * 50_001}, {"name_a": "x" * 121}, {"task_type": ""}],
    ids=str,
)
def test_an_invalid_task_is_refused(bench: Workbench, given: dict[str, object]) -> None:
    campaign, _ = bench.campaign(0)
    with pytest.raises(RefusedError):
        bench.campaigns.add_tasks(campaign, [draft(**given)])
    assert bench.campaigns.tasks(bench.tenant) == []


def test_no_secret_of_a_task_reaches_a_log(bench: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    campaign, _ = bench.campaign(0)
    caplog.set_level("INFO")
    secret = uuid.uuid4().hex
    with pytest.raises(RefusedError) as refused:
        bench.campaigns.add_tasks(campaign, [draft(name_a=secret, name_b=secret)])
    logged = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert "The database refused" in logged
    assert secret not in logged


def test_tasks_are_read_page_by_page(bench: Workbench) -> None:
    _, tasks = bench.campaign(5)
    all_of_them = bench.campaigns.tasks(bench.tenant)
    first = bench.campaigns.tasks(bench.tenant, newest=2)
    rest = bench.campaigns.tasks(bench.tenant, before=first[-1])
    assert [*first, *rest] == [*all_of_them]
    assert {task.id for task in all_of_them} == set(tasks) == set(bench.campaigns.task_ids(bench.tenant))

"""Rating a task: everything is done once, though the first answer to every call is lost."""

import uuid

import pytest

from db.auth.accounts import SignedIn
from db.errors import InvalidValueError
from db.ratings import campaigns, judgments, tenants
from db.ratings.drafts import CampaignDraft, TaskDraft
from db.ratings.models import CampaignStatus, RatingRole
from db.ratings.task_models import Claim, Judgment, LeaseState, TaskLease, TaskStatus, Verdict
from db.ratings.tenants import InviteDraft, Joining
from db.rows import run
from tests.db.conftest import SignUpOver
from tests.db.transports import LosesFirstAnswers


@pytest.fixture
def manager(lossy_once: SignedIn) -> SignedIn:
    return lossy_once


@pytest.fixture
def rater(sign_up_over: SignUpOver) -> SignedIn:
    return sign_up_over("Rater", LosesFirstAnswers())


def campaign_of(manager: SignedIn, rater: SignedIn, *tasks: str) -> str:
    """Create a campaign with these tasks, and let the rater join its tenant."""
    tenant, campaign_id = f"t_{uuid.uuid4().hex[:12]}", str(uuid.uuid4())
    assert tenants.create(manager, tenant, "Lost and found")["role"] == RatingRole.MANAGER
    invite = tenants.invite(manager, str(uuid.uuid4()), InviteDraft(tenant))
    joined = tenants.join(rater, Joining(invite_code=str(invite["code"])))
    assert (joined["tenant_id"], joined["role"]) == (tenant, RatingRole.RATER)
    campaigns.create(manager, campaign_id, tenant, CampaignDraft("C", status=CampaignStatus.ACTIVE))
    drafts = [TaskDraft(str(uuid.uuid4()), "chat", task, "a", "b", "one", "two") for task in tasks]
    assert len(campaigns.add_tasks(manager, campaign_id, drafts)) == len(tasks)
    return campaign_id


def claimed(rater: SignedIn, campaign_id: str) -> Claim:
    claim = judgments.claim(rater, campaign_id)
    assert claim is not None
    return claim


def test_a_task_is_claimed_judged_undone_and_judged_again(manager: SignedIn, rater: SignedIn) -> None:
    campaign_id = campaign_of(manager, rater, "First", "Second")
    task_id = claimed(rater, campaign_id).task.id
    assert TaskLease.from_record(judgments.extend(rater, task_id)).state is LeaseState.ACTIVE
    judgments.submit(rater, task_id, Verdict.A, "better")
    undone = judgments.undo(rater, task_id)
    assert undone.claim.task.id == task_id
    assert not Judgment.from_record(undone.judgment).counts
    judgments.submit(rater, task_id, Verdict.TIE, "alike")
    assert judgments.reveal(rater, task_id).name_a == "one"
    judged = run(manager, "judgments", lambda rows: rows.select("*").eq("task_id", task_id))
    assert [Judgment.from_record(one).verdict for one in judged] == [Verdict.TIE]
    [exported] = judgments.exported(manager, campaign_id)
    assert (exported.judgment.task_id, exported.secret.name_a, exported.winner) == (task_id, "one", None)


def test_a_task_is_skipped_resumed_and_released(manager: SignedIn, rater: SignedIn) -> None:
    campaign_id = campaign_of(manager, rater, "Only one")
    task_id = claimed(rater, campaign_id).task.id
    assert judgments.skip(rater, task_id)["state"] == LeaseState.SKIPPED
    assert judgments.resume(rater, task_id).task.id == task_id
    assert judgments.release(rater, task_id)["state"] == LeaseState.RELEASED
    # A lost answer does not hide a refusal.
    with pytest.raises(InvalidValueError, match="do not have this task"):
        judgments.skip(rater, task_id)
    assert campaigns.withdraw(manager, task_id)["status"] == TaskStatus.WITHDRAWN
    assert campaigns.set_priority(manager, task_id, 7)["priority"] == 7

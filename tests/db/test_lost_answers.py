"""Whatever the boards write is done once, though the answer to every first try gets lost on its way back."""

import uuid
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from db import agent_runs, rating_judgments, routing_budgets
from db import rating_campaigns as campaigns
from db import rating_tenants as tenants
from db.agent_models import AgentRun, RunStatus
from db.agent_runs import RunDraft
from db.auth import Accounts, SignedIn
from db.clients import Clients
from db.errors import Invalid
from db.rating_drafts import CampaignDraft, TaskDraft
from db.rating_models import CampaignStatus, RatingRole
from db.rating_task_models import Claim, Judgment, LeaseState, TaskLease, TaskStatus, Verdict
from db.rating_tenants import Joining
from db.routing_budgets import BudgetDraft
from db.routing_models import Period, RoutingBudget
from db.rows import run
from db.settings import Settings
from tests.db.conftest import PASSWORD, SignUp


class LosesFirstAnswers(httpx.BaseTransport):
    """The real network, but of each thing that is written, the first answer gets lost on the way back."""

    def __init__(self) -> None:
        self._network = httpx.HTTPTransport()
        self._seen: set[tuple[str, bytes]] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._network.handle_request(request)
        asked = (str(request.url), request.read())
        if "/rest/" in request.url.path and request.method != "GET" and asked not in self._seen:
            response.read()
            self._seen.add(asked)
            raise httpx.ReadError("the line went dead", request=request)
        return response

    def close(self) -> None:
        self._network.close()


@pytest.fixture
def manager(settings: Settings, sign_up: SignUp) -> SignedIn:
    return Accounts(Clients(settings, LosesFirstAnswers())).sign_in(sign_up("Manager").email, PASSWORD)


@pytest.fixture
def rater(settings: Settings, sign_up: SignUp) -> SignedIn:
    return Accounts(Clients(settings, LosesFirstAnswers())).sign_in(sign_up("Rater").email, PASSWORD)


def campaign_of(manager: SignedIn, rater: SignedIn, *tasks: str) -> str:
    tenant, campaign_id = f"t_{uuid.uuid4().hex[:12]}", str(uuid.uuid4())
    assert tenants.found(manager, tenant, "Lost and found")["role"] == RatingRole.MANAGER
    invite = tenants.invite(manager, str(uuid.uuid4()), tenant)
    joined = tenants.join(rater, Joining(invite_code=str(invite["code"])))
    assert (joined["tenant_id"], joined["role"]) == (tenant, RatingRole.RATER)
    campaigns.create(manager, campaign_id, tenant, CampaignDraft("C", status=CampaignStatus.ACTIVE))
    drafts = [TaskDraft(str(uuid.uuid4()), "chat", task, "a", "b", "one", "two") for task in tasks]
    assert len(campaigns.add_tasks(manager, campaign_id, drafts)) == len(tasks)
    return campaign_id


def claimed(rater: SignedIn, campaign_id: str) -> Claim:
    claim = rating_judgments.claim(rater, campaign_id)
    assert claim is not None
    return claim


def test_a_task_is_taken_judged_and_taken_back_once(manager: SignedIn, rater: SignedIn) -> None:
    campaign_id = campaign_of(manager, rater, "First", "Second")
    task_id = claimed(rater, campaign_id).task.id
    assert TaskLease.from_record(rating_judgments.extend(rater, task_id)).state is LeaseState.ACTIVE
    rating_judgments.submit(rater, task_id, Verdict.A, "better")
    undone = rating_judgments.undo(rater, task_id)
    assert undone.claim.task.id == task_id
    assert not Judgment.from_record(undone.judgment).counts
    rating_judgments.submit(rater, task_id, Verdict.TIE, "alike")
    assert rating_judgments.reveal(rater, task_id).name_a == "one"
    judged = run(manager, "judgments", lambda rows: rows.select("*").eq("task_id", task_id))
    assert [Judgment.from_record(one).verdict for one in judged] == [Verdict.TIE]


def test_a_task_is_left_and_taken_again(manager: SignedIn, rater: SignedIn) -> None:
    campaign_id = campaign_of(manager, rater, "Only one")
    task_id = claimed(rater, campaign_id).task.id
    assert rating_judgments.skip(rater, task_id)["state"] == LeaseState.SKIPPED
    assert rating_judgments.resume(rater, task_id).task.id == task_id
    assert rating_judgments.release(rater, task_id)["state"] == LeaseState.RELEASED
    # What is refused is refused all the same.
    with pytest.raises(Invalid, match="do not have this task"):
        rating_judgments.skip(rater, task_id)
    assert campaigns.withdraw(manager, task_id)["status"] == TaskStatus.WITHDRAWN
    assert campaigns.set_priority(manager, task_id, 7)["priority"] == 7


def test_a_budget_is_set_and_changed_once(manager: SignedIn) -> None:
    key = str(uuid.uuid4())
    draft = BudgetDraft(Period.MONTH, None, Decimal("0.1"), Decimal("2.50"))
    made = RoutingBudget.from_record(routing_budgets.add(manager, key, draft))
    assert (made.hard_limit, made.version) == (Decimal("2.5"), 1)
    changed = routing_budgets.change(manager, key, replace(draft, hard_limit=Decimal(3)), made.version)
    assert RoutingBudget.from_record(changed).version == 2


def test_a_run_is_started_and_cancelled_once(manager: SignedIn) -> None:
    run_id = str(uuid.uuid4())
    started = AgentRun.from_record(agent_runs.start(manager, run_id, RunDraft("writer", "w", "chapter")))
    assert (started.status, started.version) == (RunStatus.PENDING, 1)
    ended = AgentRun.from_record(agent_runs.cancel(manager, run_id))
    assert (ended.status, ended.version) == (RunStatus.CANCELLED, 2)
    with pytest.raises(Invalid):
        agent_runs.cancel(manager, run_id)

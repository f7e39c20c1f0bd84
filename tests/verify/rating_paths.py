"""The writes of rating. Ada manages a tenant, bo and cy rate for it, dee is not in it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.auth.accounts import SignedIn
from db.errors import InvalidValueError, NotAllowedError
from db.ratings import campaigns as rating_campaigns
from db.ratings import judgments as rating_judgments
from db.ratings import tenants as rating_tenants
from db.ratings.models import CampaignStatus, RatingRole
from db.ratings.task_models import (
    Judgment,
    LeaseState,
    TaskStatus,
    Verdict,
)
from db.ratings.tenants import InviteDraft
from tests.verify.cast import Cast
from tests.verify.paths import Result, new_id, path, version_of

TENANT = "verify_corp"


def _membership(cast: Cast, me: SignedIn) -> tuple[object, ...] | None:
    return next(
        iter(
            cast.rows_by_sql(
                "select role, version from public.rater_profiles where user_id = %s and active", me.user_id
            )
        ),
        None,
    )


def tenant(cast: Cast) -> str:
    """Return the tenant's id; the first call creates the tenant."""
    if _membership(cast, cast.ada) is None:
        rating_tenants.create(cast.ada, TENANT, "Verify")
        for me in (cast.bo, cast.cy):
            let_in(cast, me)
    return TENANT


def let_in(cast: Cast, me: SignedIn) -> None:
    """Invite a person, and let them join."""
    invited = rating_tenants.invite(cast.ada, new_id(), InviteDraft(TENANT))
    joining = rating_tenants.Joining(TENANT, str(invited["code"]), f"r-{uuid.uuid4().hex[:8]}", "Rater")
    rating_tenants.join(me, joining)


def draft(priority: int = 0, gold_verdict: Verdict | None = None) -> rating_campaigns.TaskDraft:
    """Return a task with markup in its text, which must stay text everywhere."""
    candidate_a, candidate_b = {"call": "<script>alert(1)</script>"}, ["b", None, 1.5]
    return rating_campaigns.TaskDraft(
        new_id(),
        "tool_call_qa",
        "Which?",
        candidate_a,
        candidate_b,
        "base",
        "adapter",
        priority=priority,
        gold_verdict=gold_verdict,
    )


def new_campaign(cast: Cast, tasks: int = 2, judgments_per_task: int = 3) -> tuple[str, Sequence[str]]:
    """Create an active campaign with tasks."""
    campaign, drafts = new_id(), [draft() for _ in range(tasks)]
    wanted = rating_campaigns.CampaignDraft(
        "Tool calls",
        status=CampaignStatus.ACTIVE,
        task_types=["tool_call_qa"],
        judgments_per_task=judgments_per_task,
    )
    rating_campaigns.create(cast.ada, campaign, tenant(cast), wanted)
    rating_campaigns.add_tasks(cast.ada, campaign, drafts)
    return campaign, [given.id for given in drafts]


def claimed(me: SignedIn, campaign: str) -> str:
    """Claim a task; there must be one."""
    claim = rating_judgments.claim(me, campaign)
    assert claim is not None
    return claim.task.id


@path(rating_tenants.create, rating_tenants.change, rating_tenants.list_open)
def a_tenant_is_created_and_opened(cast: Cast) -> list[Result]:
    founder, name = cast.sign_up("Ida"), f"t-{uuid.uuid4().hex[:8]}"
    rating_tenants.create(founder, name, "Ida's")
    opened = rating_tenants.change(founder, name, {"open_signup": True}, version=1)
    assert opened["open_signup"] is True
    assert name in {found["id"] for found in rating_tenants.list_open(cast.dee)}
    return []


@path(rating_tenants.invite, rating_tenants.join, rating_tenants.rename)
def somebody_is_invited_joins_and_takes_another_name(cast: Cast) -> list[Result]:
    tenant(cast)
    guest = cast.sign_up("Jo")
    draft = InviteDraft(TENANT, RatingRole.RATER, uses=2, expires_at=datetime.now(UTC) + timedelta(days=1))
    invited = rating_tenants.invite(cast.ada, new_id(), draft)
    joining = rating_tenants.Joining(invite_code=str(invited["code"]), name="Jo")
    profile = rating_tenants.join(guest, joining)
    renamed = rating_tenants.rename(guest, "Josephine", version_of(profile))
    return [("tenant_invites", invited, cast.ada), ("rater_profiles", renamed, cast.ada)]


@path(rating_tenants.withdraw_invite)
def an_invitation_is_withdrawn(cast: Cast) -> list[Result]:
    tenant(cast)
    invite = new_id()
    rating_tenants.invite(cast.ada, invite, InviteDraft(TENANT, RatingRole.MANAGER))
    rating_tenants.withdraw_invite(cast.ada, invite)
    return []


@path(rating_tenants.set_role)
def a_rater_becomes_a_manager_and_a_rater_again(cast: Cast) -> list[Result]:
    tenant(cast)
    membership = _membership(cast, cast.cy)
    assert membership is not None
    version = membership[1]
    assert isinstance(version, int)
    manager = rating_tenants.set_role(cast.ada, cast.cy.user_id, RatingRole.MANAGER, version)
    rater = rating_tenants.set_role(cast.ada, cast.cy.user_id, RatingRole.RATER, version_of(manager))
    return [("rater_profiles", rater, cast.ada), ("rater_profiles", manager, cast.ada)]


@path(rating_tenants.suspend, rating_tenants.reinstate)
def a_rater_is_suspended_and_taken_back(cast: Cast) -> list[Result]:
    new_campaign(cast)
    membership = _membership(cast, cast.cy)
    assert membership is not None
    version = membership[1]
    assert isinstance(version, int)
    out = rating_tenants.suspend(cast.ada, cast.cy.user_id, version)
    back = rating_tenants.reinstate(cast.ada, cast.cy.user_id, version_of(out))
    return [("rater_profiles", back, cast.ada)]


@path(
    rating_campaigns.create,
    rating_campaigns.change,
    rating_campaigns.add_tasks,
    rating_campaigns.add_good_tasks,
)
def a_campaign_is_made_filled_and_begun(cast: Cast) -> list[Result]:
    campaign = new_id()
    wanted = rating_campaigns.CampaignDraft("Drafted", guidelines="Be fair.", gold_share=0.25)
    rating_campaigns.create(cast.ada, campaign, tenant(cast), wanted)
    made = rating_campaigns.add_tasks(
        cast.ada,
        campaign,
        list(rating_campaigns.shuffled([draft(gold_verdict=Verdict.A), draft(priority=5)])),
    )
    mixed = [draft(), replace(draft(), task_type="No Word")]
    made += rating_campaigns.add_good_tasks(cast.ada, campaign, mixed).records
    begun = rating_campaigns.change(cast.ada, campaign, {"status": "active", "judgments_per_task": 2}, 1)
    return [("campaigns", begun, cast.ada), *(("rating_tasks", task, cast.ada) for task in made)]


@path(
    rating_campaigns.set_priority,
    rating_campaigns.withdraw,
    rating_campaigns.put_back,
    rating_campaigns.content_of,
    rating_campaigns.secret_of,
)
def a_manager_looks_after_a_task(cast: Cast) -> list[Result]:
    campaign, (task,) = new_campaign(cast, 1)
    assert claimed(cast.bo, campaign) == task
    withdrawn = rating_campaigns.withdraw(cast.ada, task)
    assert withdrawn["status"] == TaskStatus.WITHDRAWN
    rating_campaigns.put_back(cast.ada, task)
    urgent = rating_campaigns.set_priority(cast.ada, task, 9)
    with pytest.raises(NotAllowedError):
        rating_campaigns.set_priority(cast.bo, task, 9)
    content, secret = rating_campaigns.content_of(cast.ada, task), rating_campaigns.secret_of(cast.ada, task)
    assert content is not None
    assert secret is not None
    assert (content.candidate_b, secret.name_b) == (["b", None, 1.5], "adapter")
    for nobody in (cast.bo, cast.dee):
        assert rating_campaigns.secret_of(nobody, task) is None
        assert rating_campaigns.content_of(nobody, task) is None
    return [("rating_tasks", urgent, cast.ada)]


@path(rating_judgments.claim, rating_judgments.extend, rating_judgments.submit)
def tasks_are_claimed_and_judged(cast: Cast) -> list[Result]:
    campaign, tasks = new_campaign(cast, judgments_per_task=2)
    results: list[Result] = []
    for me, verdict in ((cast.bo, Verdict.A), (cast.cy, Verdict.TIE)):
        for _ in tasks:
            task = claimed(me, campaign)
            extended = rating_judgments.extend(me, task)
            judgment = rating_judgments.submit(me, task, verdict, "Because <b>", 1.25)
            assert rating_judgments.submit(me, task, verdict, "Because <b>") == judgment
            results += [("judgments", judgment, me), ("task_leases", extended, me)]
        assert rating_judgments.claim(me, campaign) is None
    return results


@path(rating_judgments.undo, rating_judgments.reveal, rating_judgments.settle)
def a_judgment_is_undone_given_anew_and_revealed(cast: Cast) -> list[Result]:
    campaign, _ = new_campaign(cast)
    task = claimed(cast.bo, campaign)
    rating_judgments.submit(cast.bo, task, Verdict.A)
    undone = rating_judgments.undo(cast.bo, task)
    assert undone.claim.task.id == task
    assert not Judgment.from_record(undone.judgment).counts
    judgment = rating_judgments.submit(cast.bo, task, Verdict.BOTH_BAD)
    told = rating_judgments.reveal(cast.bo, task)
    assert (told.name_a, [one.verdict for one in told.judgments]) == ("base", [Verdict.BOTH_BAD])
    with pytest.raises(InvalidValueError, match="too late"):
        rating_judgments.undo(cast.bo, task)
    rating_judgments.settle(cast.bo, campaign)
    return [("judgments", judgment, cast.bo), ("judgments", undone.judgment, cast.bo)]


@path(rating_judgments.skip, rating_judgments.release, rating_judgments.resume)
def tasks_are_skipped_given_back_and_taken_again(cast: Cast) -> list[Result]:
    campaign, _ = new_campaign(cast)
    skipped = claimed(cast.bo, campaign)
    lease = rating_judgments.skip(cast.bo, skipped)
    assert lease["state"] == LeaseState.SKIPPED
    released = rating_judgments.release(cast.bo, claimed(cast.bo, campaign))
    assert rating_judgments.resume(cast.bo, skipped).task.id == skipped
    return [("task_leases", lease, cast.bo), ("task_leases", released, cast.bo)]


@path(rating_judgments.exported)
def a_lease_runs_out_and_somebody_else_is_quicker(cast: Cast) -> list[Result]:
    campaign, (task,) = new_campaign(cast, 1, judgments_per_task=1)
    assert claimed(cast.bo, campaign) == task
    cast.by_sql("update public.task_leases set expires_at = now() where task_id = %s", task)
    assert claimed(cast.cy, campaign) == task
    with pytest.raises(rating_judgments.LeaseLostError):
        rating_judgments.submit(cast.bo, task, Verdict.A, "What I wrote")
    judgment = rating_judgments.submit(cast.cy, task, Verdict.B)
    (exported,) = rating_judgments.exported(cast.ada, campaign)
    assert (exported.winner, exported.judgment.id) == ("adapter", judgment["id"])
    assert list(rating_judgments.exported(cast.dee, campaign)) == []
    return [("judgments", judgment, cast.cy)]


@path()
def a_campaign_ends_and_publishes_its_tallies(cast: Cast) -> list[Result]:
    campaign, _ = new_campaign(cast)
    rating_judgments.submit(cast.bo, claimed(cast.bo, campaign), Verdict.A)
    ended = rating_campaigns.change(cast.ada, campaign, {"status": "completed"}, version=1)
    return [("campaigns", ended, cast.ada)]


@path()
def the_account_of_a_rater_is_deleted(cast: Cast) -> list[Result]:
    campaign, _ = new_campaign(cast)
    leaving = cast.sign_up("Kim")
    let_in(cast, leaving)
    rating_judgments.submit(leaving, claimed(leaving, campaign), Verdict.A)
    claimed(leaving, campaign)
    cast.by_sql("delete from auth.users where id = %s", leaving.user_id)
    return []

"""What a page may ask about the rating work: the rating tables as the signed-in person may see them."""

from __future__ import annotations

from db.rating_models import Campaign, RaterProfile, RatingRole, RatingRoleOf, Tenant, TenantInvite
from db.rating_task_models import CandidateTally, Judgment, RatingTask, TaskLease
from live.snapshot import Snapshot
from ui import session


def role() -> RatingRole:
    """Return what the signed-in person does for a tenant now, to choose what to show."""
    me = session.my_id()
    known = roles().get((me,)) if me is not None else None
    return known.role if known is not None else RatingRole.NONE


def my_profile() -> RaterProfile | None:
    """Return the signed-in person's own profile as a rater, as far as it is loaded."""
    me = session.my_id()
    return profiles().get((me,)) if me is not None else None


def my_tenant() -> Tenant | None:
    """Return the tenant of the signed-in person."""
    return next(iter(tenants().values()), None)


def roles() -> Snapshot[RatingRoleOf]:
    """Return who rates or manages, for whomever."""
    return session.table("rating_roles")


def tenants() -> Snapshot[Tenant]:
    """Return the one tenant of the signed-in person."""
    return session.table("tenants")


def invites() -> Snapshot[TenantInvite]:
    """Return the invitations of the tenant; empty for everybody but its managers."""
    return session.table("tenant_invites")


def profiles() -> Snapshot[RaterProfile]:
    """Return who rates for the tenant."""
    return session.table("rater_profiles")


def campaigns() -> Snapshot[Campaign]:
    """Return the campaigns that the signed-in person may see."""
    return session.table("campaigns")


def tasks() -> Snapshot[RatingTask]:
    """Return the newest tasks in the queue."""
    return session.table("rating_tasks")


def leases() -> Snapshot[TaskLease]:
    """Return one's own leases; a manager's tenant's."""
    return session.table("task_leases")


def judgments() -> Snapshot[Judgment]:
    """Return one's own judgments; a manager's tenant's."""
    return session.table("judgments")


def tallies() -> Snapshot[CandidateTally]:
    """Return how candidates did: for managers, and for all once a campaign is over."""
    return session.table("candidate_tallies")

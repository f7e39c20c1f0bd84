"""The rating tables as this session sees them: with the signed-in person's own pending writes."""

from __future__ import annotations

from enum import Enum, auto

from db.ratings.models import (
    Campaign,
    PublicRatingRole,
    RaterProfile,
    RatingRole,
    Tenant,
    TenantInvite,
)
from db.ratings.task_models import (
    CandidateTally,
    Judgment,
    RatingTask,
    TaskLease,
)
from livetables.tables.snapshot import Snapshot
from ui.base import session


class Membership(Enum):
    """Whether a person belongs to a tenant, to choose what to show."""

    NONE = auto()
    LOADING = auto()
    """They rate, but their tables are not loaded yet."""
    SUSPENDED = auto()
    MEMBER = auto()


def membership() -> Membership:
    """Return whether the signed-in person belongs to a tenant."""
    me, profile = session.my_id(), my_profile()
    if me is None or roles().get((me,)) is None:
        return Membership.NONE
    if profile is None:
        return Membership.LOADING
    if role() is RatingRole.NONE:
        return Membership.LOADING if profile.active else Membership.SUSPENDED
    return Membership.MEMBER


def role() -> RatingRole:
    """Return the signed-in person's role, to choose what to show; the database decides what they may do."""
    me = session.my_id()
    known = roles().get((me,)) if me is not None else None
    return known.role if known is not None else RatingRole.NONE


def my_profile() -> RaterProfile | None:
    """Return the signed-in person's own profile as a rater, if it is loaded."""
    me = session.my_id()
    return profiles().get((me,)) if me is not None else None


def my_tenant() -> Tenant | None:
    """Return the tenant of the signed-in person."""
    return next(iter(tenants().values()), None)


def roles() -> Snapshot[PublicRatingRole]:
    """Return the roles of raters and managers."""
    return session.table("rating_roles")


def tenants() -> Snapshot[Tenant]:
    """Return the tenant of the signed-in person, as a table of one row."""
    return session.table("tenants")


def invites() -> Snapshot[TenantInvite]:
    """Return the invitations of the tenant; only its managers see any."""
    return session.table("tenant_invites")


def profiles() -> Snapshot[RaterProfile]:
    """Return the members of the tenant."""
    return session.table("rater_profiles")


def campaigns() -> Snapshot[Campaign]:
    """Return the campaigns that the signed-in person may see."""
    return session.table("campaigns")


def tasks() -> Snapshot[RatingTask]:
    """Return the newest tasks in the queue."""
    return session.table("rating_tasks")


def leases() -> Snapshot[TaskLease]:
    """Return the signed-in rater's leases; managers get those of the tenant."""
    return session.table("task_leases")


def judgments() -> Snapshot[Judgment]:
    """Return the signed-in rater's judgments; managers get those of the tenant."""
    return session.table("judgments")


def tallies() -> Snapshot[CandidateTally]:
    """Return the verdicts a pair of candidates; raters get those of campaigns that are over."""
    return session.table("candidate_tallies")

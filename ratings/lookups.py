"""Queries for tasks, leases and raters, within a transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Select, and_, case, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from ratings.errors import NotFoundError, NotYoursError
from ratings.tables import CampaignRow, JudgmentRow, LeaseRow, RaterRow, SecretRow, TaskRow

T = TypeVar("T")

Work = Callable[[Session], T]
"""A function that runs in one transaction."""

OPEN_TASK: Final = TaskRow.status.in_(("pending", "in_progress"))


def candidates(campaign: CampaignRow, rater: RaterRow, now: datetime, gold_first: bool) -> Select[str]:
    """Return the tasks that may have a place for this rater, in the order in which to try them."""
    own = and_(LeaseRow.task_id == TaskRow.id, LeaseRow.user_id == rater.user_id)
    unavailable = or_(
        LeaseRow.state.in_(("submitted", "skipped")),
        and_(LeaseRow.state == "active", LeaseRow.expires_at > now),
    )
    running = (
        select(func.count())
        .where(LeaseRow.task_id == TaskRow.id, LeaseRow.state == "active", LeaseRow.expires_at > now)
        .scalar_subquery()
    )
    gold = exists().where(SecretRow.task_id == TaskRow.id, SecretRow.gold_verdict.is_not(None))
    return (
        select(TaskRow.id)
        .where(
            TaskRow.campaign_id == campaign.id,
            OPEN_TASK,
            not_(exists().where(own, unavailable)),
            TaskRow.judgments_count + running < TaskRow.judgments_wanted,
        )
        .order_by(
            case((exists().where(own), 1), else_=0),  # released tasks come last
            case((gold, 0 if gold_first else 1), else_=1 if gold_first else 0),
            TaskRow.priority.desc(),
            TaskRow.created_at,
            TaskRow.id,
        )
    )


def lock(session: Session, task_id: str, *, wait: bool) -> TaskRow | None:
    """Lock the task. Return None if there is none, or it is locked and `wait` is False."""
    return session.scalars(
        select(TaskRow)
        .where(TaskRow.id == task_id)
        .with_for_update(skip_locked=not wait)
        .execution_options(populate_existing=True)
    ).one_or_none()


def campaign_of(session: Session, campaign_id: str) -> CampaignRow:
    """Return the present row of a campaign. Raises `NotFoundError`."""
    campaign = session.get(CampaignRow, campaign_id, populate_existing=True)
    if campaign is None:
        raise NotFoundError
    return campaign


def rater_of(session: Session, campaign: CampaignRow, rater_id: str) -> RaterRow:
    """Return the tenant's rater with this id. Raises `NotYoursError` if they may not rate this campaign."""
    rater = session.scalars(
        select(RaterRow).where(RaterRow.tenant_id == campaign.tenant_id, RaterRow.rater_id == rater_id)
    ).one_or_none()
    if rater is None or not rater.active or rater.brand_id not in (None, campaign.brand_id):
        raise NotYoursError("This campaign is not yours to rate.")
    if rater.role != "rater":
        raise NotYoursError("Managers see all the answers, so they cannot rate blind.")
    return rater


def find_lease(session: Session, task_id: str, rater: RaterRow) -> LeaseRow | None:
    """Return the rater's lease of the task in any state, or None."""
    return session.scalars(
        select(LeaseRow)
        .where(LeaseRow.task_id == task_id, LeaseRow.user_id == rater.user_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def lease_of(session: Session, task_id: str, rater: RaterRow) -> LeaseRow:
    """Return the rater's lease of the task, which the caller knows to exist."""
    lease = find_lease(session, task_id, rater)
    assert lease is not None, "The caller has just created it."
    return lease


def judgment_of(session: Session, task_id: str, rater: RaterRow) -> JudgmentRow | None:
    """Return the rater's judgment of the task, even an undone one, or None."""
    return session.scalars(
        select(JudgmentRow)
        .where(JudgmentRow.task_id == task_id, JudgmentRow.user_id == rater.user_id)
        .execution_options(populate_existing=True)
    ).one_or_none()

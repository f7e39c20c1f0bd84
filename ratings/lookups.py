"""Finding tasks, leases and raters, within a transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Select, and_, case, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from ratings.errors import NotThere, NotYours
from ratings.tables import CampaignRow, JudgmentRow, LeaseRow, RaterRow, SecretRow, TaskRow

T = TypeVar("T")

Work = Callable[[Session], T]
"""What is done within one transaction."""

OPEN_TASK: Final = TaskRow.status.in_(("pending", "in_progress"))


def candidates(campaign: CampaignRow, rater: RaterRow, now: datetime, gold_first: bool) -> Select[str]:
    """Return the tasks that may have a place for this rater, in the order in which they should be tried."""
    mine = and_(LeaseRow.task_id == TaskRow.id, LeaseRow.user_id == rater.user_id)
    done = or_(
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
            not_(exists().where(mine, done)),
            TaskRow.judgments_count + running < TaskRow.judgments_wanted,
        )
        .order_by(
            case((exists().where(mine), 1), else_=0),  # what was given back comes last
            case((gold, 0 if gold_first else 1), else_=1 if gold_first else 0),
            TaskRow.priority.desc(),
            TaskRow.created_at,
            TaskRow.id,
        )
    )


def lock(session: Session, task_id: str, *, wait: bool) -> TaskRow | None:
    """Lock the task; None when there is none, or when it is locked and one does not want to wait."""
    return session.scalars(
        select(TaskRow)
        .where(TaskRow.id == task_id)
        .with_for_update(skip_locked=not wait)
        .execution_options(populate_existing=True)
    ).one_or_none()


def campaign_of(session: Session, campaign_id: str) -> CampaignRow:
    """Return the campaign as it is now. Raises `NotThere`."""
    campaign = session.get(CampaignRow, campaign_id, populate_existing=True)
    if campaign is None:
        raise NotThere
    return campaign


def rater_of(session: Session, campaign: CampaignRow, rater_id: str) -> RaterRow:
    """Return the tenant's rater of this id, who may rate this campaign. Raises `NotYours`."""
    rater = session.scalars(
        select(RaterRow).where(RaterRow.tenant_id == campaign.tenant_id, RaterRow.rater_id == rater_id)
    ).one_or_none()
    if rater is None or not rater.active or rater.brand_id not in (None, campaign.brand_id):
        raise NotYours("This campaign is not yours to rate.")
    if rater.role != "rater":
        raise NotYours("Managers see all the answers, so they cannot rate blind.")
    return rater


def find_lease(session: Session, task_id: str, rater: RaterRow) -> LeaseRow | None:
    """Return the rater's lease of the task, running or not."""
    return session.scalars(
        select(LeaseRow)
        .where(LeaseRow.task_id == task_id, LeaseRow.user_id == rater.user_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def lease_of(session: Session, task_id: str, rater: RaterRow) -> LeaseRow:
    """Return the rater's lease of the task, of which there is one."""
    lease = find_lease(session, task_id, rater)
    assert lease is not None, "The caller has just made it."
    return lease


def judgment_of(session: Session, task_id: str, rater: RaterRow) -> JudgmentRow | None:
    """Return the rater's judgment of the task, also one that was taken back."""
    return session.scalars(
        select(JudgmentRow)
        .where(JudgmentRow.task_id == task_id, JudgmentRow.user_id == rater.user_id)
        .execution_options(populate_existing=True)
    ).one_or_none()

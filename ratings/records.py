"""Turns SQLAlchemy rows into the values of `db/ratings`."""

from __future__ import annotations

from db.columns import AwareDatetime, read
from db.ratings.models import (
    Campaign,
    CampaignStatus,
    RaterProfile,
    RatingRole,
)
from db.ratings.task_models import (
    AutoCheckStatus,
    Judgment,
    LeaseState,
    RatingTask,
    TaskContent,
    TaskLease,
    TaskSecret,
    TaskStatus,
    Verdict,
)
from ratings.tables import CampaignRow, ContentRow, JudgmentRow, LeaseRow, RaterRow, SecretRow, TaskRow


def campaign(row: CampaignRow) -> Campaign:
    """Return a row as a campaign."""
    return Campaign(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        brand_id=row.brand_id,
        guidelines=row.guidelines,
        task_types=tuple(row.task_types),
        judgments_per_task=row.judgments_per_task,
        lease_seconds=row.lease_seconds,
        undo_seconds=row.undo_seconds,
        gold_share=row.gold_share,
        status=CampaignStatus(row.status),
        created_by=row.created_by,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def task(row: TaskRow) -> RatingTask:
    """Return a row as a task."""
    return RatingTask(
        id=row.id,
        tenant_id=row.tenant_id,
        campaign_id=row.campaign_id,
        brand_id=row.brand_id,
        task_type=row.task_type,
        priority=row.priority,
        status=TaskStatus(row.status),
        judgments_wanted=row.judgments_wanted,
        judgments_count=row.judgments_count,
        leased_until=read(tuple[AwareDatetime, ...], row.leased_until),
        auto_check_status=AutoCheckStatus(row.auto_check_status),
        auto_check=row.auto_check,
        completed_at=row.completed_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def content(row: ContentRow) -> TaskContent:
    """Return a row as the content of a task."""
    return TaskContent(row.task_id, row.prompt, row.candidate_a, row.candidate_b)


def secret(row: SecretRow) -> TaskSecret:
    """Return a row as the secret of a task: its candidates and gold verdict."""
    return TaskSecret(
        task_id=row.task_id,
        external_id=row.external_id,
        name_a=row.name_a,
        name_b=row.name_b,
        model_a=row.model_a,
        model_b=row.model_b,
        gold_verdict=Verdict(row.gold_verdict) if row.gold_verdict else None,
        gold_reason=row.gold_reason,
    )


def lease(row: LeaseRow) -> TaskLease:
    """Return a row as a lease."""
    return TaskLease(
        id=row.id,
        tenant_id=row.tenant_id,
        campaign_id=row.campaign_id,
        task_id=row.task_id,
        user_id=row.user_id,
        rater_id=row.rater_id,
        state=LeaseState(row.state),
        claimed_at=row.claimed_at,
        expires_at=row.expires_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def judgment(row: JudgmentRow) -> Judgment:
    """Return a row as a judgment."""
    return Judgment(
        id=row.id,
        tenant_id=row.tenant_id,
        campaign_id=row.campaign_id,
        task_id=row.task_id,
        user_id=row.user_id,
        rater_id=row.rater_id,
        verdict=Verdict(row.verdict),
        comment=row.comment,
        seconds=row.seconds,
        judged_at=row.judged_at,
        sealed_at=row.sealed_at,
        undone_at=row.undone_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def rater(row: RaterRow) -> RaterProfile:
    """Return a row as a rater's profile."""
    return RaterProfile(
        user_id=row.user_id,
        tenant_id=row.tenant_id,
        rater_id=row.rater_id,
        name=row.name,
        role=RatingRole(row.role),
        brand_id=row.brand_id,
        active=row.active,
        total_judgments=row.total_judgments,
        compared=row.compared,
        agreed=row.agreed,
        gold_total=row.gold_total,
        gold_correct=row.gold_correct,
        streak=row.streak,
        best_streak=row.best_streak,
        last_judged_on=row.last_judged_on,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

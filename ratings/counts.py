"""The columns derived from leases and judgments: a task's state, raters' counts, tallies.

This does the same as the triggers of `supabase/migrations/*_judgments.sql`, in the same order, and nothing on
a database that has them. Callers hold the lock of the task first, and then the lock of the tenant's counts.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from ratings.database import Database
from ratings.tables import (
    CampaignRow,
    JudgmentRow,
    LeaseRow,
    RaterRow,
    SecretRow,
    TallyRow,
    TaskRow,
)

COUNTED: Final = JudgmentRow.undone_at.is_(None)
OPEN: Final = and_(JudgmentRow.sealed_at.is_(None), COUNTED)


class Counts:
    """Keeps the derived columns of one database up to date."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database
        self._without_triggers: Final = not database.kept_by_triggers

    def task_changed(self, session: Session, task_id: str) -> TaskRow:
        """Update the count, leases and status of a task, and return it."""
        session.flush()
        if self._without_triggers:
            self._refresh(session, task_id)
        return session.get_one(TaskRow, task_id, populate_existing=True)

    def _refresh(self, session: Session, task_id: str) -> None:
        count = session.execute(
            select(func.count()).where(JudgmentRow.task_id == task_id, COUNTED)
        ).scalar_one()
        expiries = session.scalars(
            select(LeaseRow.expires_at)
            .where(LeaseRow.task_id == task_id, LeaseRow.state == "active")
            .order_by(LeaseRow.expires_at, LeaseRow.id)
        ).all()
        task = session.get_one(TaskRow, task_id, populate_existing=True)
        task.judgments_count = count
        task.leased_until = [expiry.isoformat() for expiry in expiries]
        set_status(task, self._database.now(session))
        session.flush()

    def judged(self, session: Session, judgment: JudgmentRow) -> None:
        """Count a judgment that is new or was given again. The rater's earlier judgments become final."""
        session.flush()
        if not self._without_triggers:
            return
        now = self._database.now(session)
        self.seal(
            session,
            select(JudgmentRow).where(
                JudgmentRow.user_id == judgment.user_id, JudgmentRow.id != judgment.id, OPEN
            ),
        )
        self._count_one(session, judgment, 1)
        undo_seconds = session.get_one(CampaignRow, judgment.campaign_id).undo_seconds
        if undo_seconds == 0:
            judgment.sealed_at = now
            session.flush()
            self._settle(session, judgment)

    def undone(self, session: Session, judgment: JudgmentRow) -> None:
        """Stop counting a judgment."""
        session.flush()
        if self._without_triggers:
            self._count_one(session, judgment, -1)

    def seal(self, session: Session, chosen: object) -> None:
        """Make judgments final, and count them in agreement, gold and tallies. `chosen` selects them."""
        for judgment in session.scalars(chosen).all():  # type: ignore[call-overload]  # any select of judgments
            judgment.sealed_at = self._database.now(session)
            session.flush()
            if self._without_triggers:
                self._settle(session, judgment)

    def campaign_finished(self, session: Session, campaign: CampaignRow) -> None:
        """Make all judgments of a campaign final, and publish its tallies."""
        if not self._without_triggers:
            return
        self._database.lock_counts(session, campaign.tenant_id)
        self.seal(session, select(JudgmentRow).where(JudgmentRow.campaign_id == campaign.id, OPEN))
        session.execute(update(TallyRow).where(TallyRow.campaign_id == campaign.id).values(published=True))

    def _count_one(self, session: Session, judgment: JudgmentRow, by: int) -> None:
        rater = session.get(RaterRow, judgment.user_id, populate_existing=True)
        if rater is None:
            return
        rater.total_judgments += by
        rater.streak, rater.last_judged_on = self._streak(session, rater)
        rater.best_streak = max(rater.best_streak, rater.streak)
        session.flush()

    def _streak(self, session: Session, rater: RaterRow) -> tuple[int, date | None]:
        # Days are those of UTC, because a database without time zones stores UTC.
        moments = session.scalars(
            select(JudgmentRow.judged_at)
            .where(JudgmentRow.user_id == rater.user_id, JudgmentRow.tenant_id == rater.tenant_id, COUNTED)
            .order_by(JudgmentRow.judged_at.desc())
        )
        days = 0
        newest = last = None
        for moment in moments:
            day = _day(moment)
            if last is not None and day < last - timedelta(days=1):
                break
            newest = newest or day
            days += day != last
            last = day
        return days, newest

    def _settle(self, session: Session, judgment: JudgmentRow) -> None:
        earlier = session.scalars(
            select(JudgmentRow).where(
                JudgmentRow.task_id == judgment.task_id,
                JudgmentRow.id != judgment.id,
                JudgmentRow.sealed_at.is_not(None),
                # As in the triggers: of two that became final at the same moment, the id decides.
                or_(
                    JudgmentRow.sealed_at < judgment.sealed_at,
                    and_(JudgmentRow.sealed_at == judgment.sealed_at, JudgmentRow.id < judgment.id),
                ),
            )
        ).all()
        secret = session.get(SecretRow, judgment.task_id)
        gold = secret.gold_verdict if secret else None
        own_profile = session.get(RaterRow, judgment.user_id, populate_existing=True)
        agrees = [other.verdict == judgment.verdict for other in earlier]
        if own_profile is not None:
            own_profile.compared += len(earlier)
            own_profile.agreed += sum(agrees)
            own_profile.gold_total += gold is not None
            own_profile.gold_correct += gold == judgment.verdict
        for other, same in zip(earlier, agrees, strict=True):
            other_profile = session.get(RaterRow, other.user_id, populate_existing=True)
            if other_profile is not None:
                other_profile.compared += 1
                other_profile.agreed += same
            session.flush()
        if secret is not None and gold is None:
            self._tally(session, judgment, secret)
        session.flush()

    def _tally(self, session: Session, judgment: JudgmentRow, secret: SecretRow) -> None:
        first, second = sorted((secret.name_a, secret.name_b))
        tally = session.scalars(
            select(TallyRow).where(
                TallyRow.campaign_id == judgment.campaign_id,
                TallyRow.first == first,
                TallyRow.second == second,
            )
        ).one_or_none()
        if tally is None:
            campaign = session.get_one(CampaignRow, judgment.campaign_id)
            tally = TallyRow(
                tenant_id=judgment.tenant_id,
                campaign_id=judgment.campaign_id,
                brand_id=campaign.brand_id,
                first=first,
                second=second,
                first_wins=0,
                second_wins=0,
                ties=0,
                both_bad=0,
            )
            session.add(tally)
        winner = {"A": secret.name_a, "B": secret.name_b}.get(judgment.verdict)
        tally.first_wins += winner == first
        tally.second_wins += winner == second
        tally.ties += judgment.verdict == "tie"
        tally.both_bad += judgment.verdict == "both_bad"
        session.flush()


def set_status(task: TaskRow, now: datetime) -> None:
    """Derive the status from the counts, unless the task is withdrawn."""
    if task.status != "withdrawn":
        if task.judgments_count >= task.judgments_wanted:
            task.status = "completed"
        elif task.judgments_count > 0 or task.leased_until:
            task.status = "in_progress"
        else:
            task.status = "pending"
    if task.status != "completed":
        task.completed_at = None
    elif task.completed_at is None:
        task.completed_at = now


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()

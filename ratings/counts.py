"""What follows from leases and judgments, where no triggers keep it: a task's state, raters' counts, tallies.

The same as the triggers of `supabase/migrations/*_judgments.sql`, in the same order; nothing happens here on
a database that has them. Callers hold the lock of the task, and then that of the tenant's counts.
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
    """Keeps the derived columns of one database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database
        self._mine: Final = not database.kept_by_triggers

    def task_changed(self, session: Session, task_id: str) -> TaskRow:
        """Bring the task's judgments, leases and status up to date; return it."""
        session.flush()
        if self._mine:
            self._refresh(session, task_id)
        return session.get_one(TaskRow, task_id, populate_existing=True)

    def _refresh(self, session: Session, task_id: str) -> None:
        given = session.execute(
            select(func.count()).where(JudgmentRow.task_id == task_id, COUNTED)
        ).scalar_one()
        ends = session.scalars(
            select(LeaseRow.expires_at)
            .where(LeaseRow.task_id == task_id, LeaseRow.state == "active")
            .order_by(LeaseRow.expires_at, LeaseRow.id)
        ).all()
        task = session.get_one(TaskRow, task_id, populate_existing=True)
        task.judgments_count = given
        task.leased_until = [end.isoformat() for end in ends]
        set_status(task, self._database.now(session))
        session.flush()

    def judged(self, session: Session, judgment: JudgmentRow) -> None:
        """Count a new vote, or one that is given anew; the rater's earlier ones are final with it."""
        session.flush()
        if not self._mine:
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
        """Count a vote no more."""
        session.flush()
        if self._mine:
            self._count_one(session, judgment, -1)

    def seal(self, session: Session, chosen: object) -> None:
        """Make these judgments (a select of them) final, and count them in agreement, gold and tallies."""
        for judgment in session.scalars(chosen).all():  # type: ignore[call-overload]  # any select of judgments
            judgment.sealed_at = self._database.now(session)
            session.flush()
            if self._mine:
                self._settle(session, judgment)

    def campaign_finished(self, session: Session, campaign: CampaignRow) -> None:
        """Make all judgments final, and publish the tallies."""
        if not self._mine:
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
        # Days are UTC's; a database without zones has UTC anyway.
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
                # As in the database: of two that are final in the same moment, the id decides.
                or_(
                    JudgmentRow.sealed_at < judgment.sealed_at,
                    and_(JudgmentRow.sealed_at == judgment.sealed_at, JudgmentRow.id < judgment.id),
                ),
            )
        ).all()
        secret = session.get(SecretRow, judgment.task_id)
        gold = secret.gold_verdict if secret else None
        mine = session.get(RaterRow, judgment.user_id, populate_existing=True)
        alike = [other.verdict == judgment.verdict for other in earlier]
        if mine is not None:
            mine.compared += len(earlier)
            mine.agreed += sum(alike)
            mine.gold_total += gold is not None
            mine.gold_correct += gold == judgment.verdict
        for other, same in zip(earlier, alike, strict=True):
            theirs = session.get(RaterRow, other.user_id, populate_existing=True)
            if theirs is not None:
                theirs.compared += 1
                theirs.agreed += same
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
    """Let the status follow from the counts; only withdrawing a task is a decision."""
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

"""Assigns tasks and records judgments, with the same rules on every database.

Each method is one transaction that locks the task, then reads, then writes. So the judgments and active
leases of a task never exceed the wanted number, however many raters come at the same time. The functions of a
Supabase Postgres (`claim_task` and the others) lock in the same order, so both can be used together.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from db.ratings.task_models import (
    Claim,
    Judgment,
    TaskLease,
    Verdict,
)
from ratings import lookups, records
from ratings.counts import OPEN, Counts
from ratings.database import Database
from ratings.errors import (
    AlreadyJudgedError,
    LeaseLostError,
    NotOpenError,
    NotYoursError,
    RefusedError,
    TooLateError,
)
from ratings.events import Event, EventKind, Listener
from ratings.tables import (
    LONGEST_COMMENT,
    CampaignRow,
    ContentRow,
    JudgmentRow,
    LeaseRow,
    RaterRow,
    TaskRow,
)

_PAGE: Final = 20
"""Candidates that are read at a time."""
_LONGEST_JUDGMENT: Final = 86_400.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class _LockedTask:
    """A task that this transaction has locked, with the rater's lease of it."""

    task: TaskRow
    rater: RaterRow
    lease: LeaseRow
    campaign: CampaignRow
    now: datetime


class RatingStore:
    """The queue of tasks. A rater is identified by the tenant's own `rater_id`.

    `on_event` is called after each commit. Methods raise `RefusedError` with the reason, and SQLAlchemy's
    errors if the database is unreachable.
    """

    def __init__(self, database: Database, on_event: Listener | None = None) -> None:
        self.database: Final = database
        self._counts: Final = Counts(database)
        self._on_event = on_event

    def claim(self, campaign_id: str, rater_id: str) -> Claim | None:
        """Lease the next task to the rater, or return the one that they have; None if there is none now.

        Raises `NotFoundError`, `NotYoursError`, and `NotOpenError` if the campaign is not active.
        """

        def work(session: Session) -> tuple[Claim | None, bool]:
            campaign = lookups.campaign_of(session, campaign_id)
            rater = lookups.rater_of(session, campaign, rater_id)
            self.database.lock_claims(session, rater.user_id)
            active = self._active_task(session, campaign, rater)
            if active is not None:
                return self._claim_of(session, active, rater), False
            if campaign.status != "active":
                raise NotOpenError
            chosen = self._choose(session, campaign, rater)
            if chosen is None:
                return None, False
            self._lease(session, chosen, campaign, rater)
            return self._claim_of(session, chosen.id, rater), True

        claim, new = self.database.write(work)
        if claim is not None and new:
            self._emit(EventKind.TASK_CHANGED, claim.task.tenant_id, claim.task.campaign_id, claim.task.id)
        return claim

    def extend(self, task_id: str, rater_id: str) -> TaskLease:
        """Restart the lease, as a heartbeat. An expired lease is renewed while its place is free.

        Raises `NotYoursError`, or `RefusedError` if the rater has no lease any more.
        """

        def work(session: Session) -> TaskLease:
            locked = self._lock(session, task_id, rater_id)
            _not_withdrawn(locked.task)
            if locked.lease.state not in ("active", "expired"):
                raise RefusedError("You do not have this task any more.")
            if locked.lease.state == "active" and locked.lease.expires_at > locked.now:
                locked.lease.expires_at = locked.now + timedelta(seconds=locked.campaign.lease_seconds)
                self._counts.task_changed(session, task_id)
            else:
                self._lease(session, locked.task, locked.campaign, locked.rater)
            return records.lease(lookups.lease_of(session, task_id, locked.rater))

        lease = self.database.write(work)
        self._emit(EventKind.TASK_CHANGED, lease.tenant_id, lease.campaign_id, task_id)
        return lease

    def skip(self, task_id: str, rater_id: str) -> TaskLease:
        """Leave the task to others; the rater does not get it again. Raises `RefusedError`."""
        return self._end(task_id, rater_id, "skipped")

    def release(self, task_id: str, rater_id: str) -> TaskLease:
        """Return the task to the queue, when the rater leaves. They may get it again, after all others.

        Raises `RefusedError`.
        """
        return self._end(task_id, rater_id, "released")

    def resume(self, task_id: str, rater_id: str) -> Claim:
        """Lease a task again that was skipped, released or expired, while a place is free.

        Raises `RefusedError`.
        """

        def work(session: Session) -> Claim:
            locked = self._lock(session, task_id, rater_id)
            if locked.task.status not in ("pending", "in_progress") or locked.lease.state == "submitted":
                raise RefusedError("There is nothing to be done for this task any more.")
            self._lease(session, locked.task, locked.campaign, locked.rater)
            return self._claim_of(session, task_id, locked.rater)

        claim = self.database.write(work)
        self._emit(EventKind.TASK_CHANGED, claim.task.tenant_id, claim.task.campaign_id, task_id)
        return claim

    def submit(
        self, task_id: str, rater_id: str, verdict: Verdict, comment: str = "", seconds: float | None = None
    ) -> Judgment:
        """Record the rater's verdict. The same verdict and comment again return the same judgment.

        `seconds` is the time the rater took, at most the time since the claim, which is the default. After
        the lease has expired the verdict still counts while the place is free.

        Raises `NotYoursError`, `AlreadyJudgedError` for another verdict, `LeaseLostError` if the place is
        taken, and `RefusedError` for a comment that is too long.
        """
        if len(comment) > LONGEST_COMMENT:
            raise RefusedError(f"A comment has up to {LONGEST_COMMENT:,} characters.")

        def work(session: Session) -> tuple[Judgment, bool]:
            locked = self._lock(session, task_id, rater_id)
            before = lookups.judgment_of(session, task_id, locked.rater)
            if before is not None and before.undone_at is None:
                if (before.verdict, before.comment) != (verdict.value, comment):
                    raise AlreadyJudgedError
                return records.judgment(before), False
            self._may_judge(session, locked)
            self.database.lock_counts(session, locked.task.tenant_id)
            judgment = before or _new_judgment(locked)
            elapsed = min(max((locked.now - locked.lease.claimed_at).total_seconds(), 0.0), _LONGEST_JUDGMENT)
            judgment.verdict, judgment.comment = verdict.value, comment
            judgment.seconds = elapsed if seconds is None else min(max(seconds, 0.0), elapsed)
            judgment.judged_at, judgment.undone_at = locked.now, None
            # The lease first: otherwise the place would be counted twice between the two writes.
            locked.lease.state = "submitted"
            session.flush()
            session.add(judgment)
            self._counts.judged(session, judgment)
            self._counts.task_changed(session, task_id)
            session.refresh(judgment)
            return records.judgment(judgment), True

        judgment, new = self.database.write(work)
        if new:
            self._emit(EventKind.JUDGED, judgment.tenant_id, judgment.campaign_id, task_id, rater_id)
        return judgment

    def undo(self, task_id: str, rater_id: str) -> Claim:
        """Undo the newest judgment within the campaign's `undo_seconds`, and lease the task again.

        Raises `TooLateError` if the judgment is final, `RefusedError` if there is none.
        """

        def work(session: Session) -> Claim:
            locked = self._lock(session, task_id, rater_id)
            judgment = lookups.judgment_of(session, task_id, locked.rater)
            if judgment is None or judgment.undone_at is not None:
                raise RefusedError("There is no judgment of yours to undo.")
            if judgment.sealed_at is not None or locked.now > judgment.judged_at + timedelta(
                seconds=locked.campaign.undo_seconds
            ):
                raise TooLateError
            _not_withdrawn(locked.task)
            self.database.lock_counts(session, locked.task.tenant_id)
            judgment.undone_at = locked.now
            self._counts.undone(session, judgment)
            self._counts.task_changed(session, task_id)
            self._lease(session, locked.task, locked.campaign, locked.rater)
            return self._claim_of(session, task_id, locked.rater)

        claim = self.database.write(work)
        self._emit(EventKind.UNDONE, claim.task.tenant_id, claim.task.campaign_id, task_id, rater_id)
        return claim

    def settle(self, campaign_id: str) -> None:
        """Make judgments final that cannot be undone any more, so that agreement and ranking count them.

        Raises `NotFoundError`.
        """

        def work(session: Session) -> None:
            campaign = lookups.campaign_of(session, campaign_id)
            self.database.lock_counts(session, campaign.tenant_id)
            latest = self.database.now(session) - timedelta(seconds=campaign.undo_seconds)
            due = select(JudgmentRow).where(
                JudgmentRow.campaign_id == campaign_id, OPEN, JudgmentRow.judged_at < latest
            )
            self._counts.seal(session, due)

        self.database.write(work)

    def _end(self, task_id: str, rater_id: str, state: str) -> TaskLease:
        def work(session: Session) -> TaskLease:
            locked = self._lock(session, task_id, rater_id)
            if locked.lease.state not in ("active", "expired"):
                raise RefusedError("You do not have this task any more.")
            locked.lease.state = state
            locked.lease.expires_at = min(locked.lease.expires_at, locked.now)
            self._counts.task_changed(session, task_id)
            session.refresh(locked.lease)
            return records.lease(locked.lease)

        lease = self.database.write(work)
        self._emit(EventKind.TASK_CHANGED, lease.tenant_id, lease.campaign_id, task_id)
        return lease

    def _lock(self, session: Session, task_id: str, rater_id: str) -> _LockedTask:
        task = lookups.lock(session, task_id, wait=True)
        if task is None:
            raise NotYoursError
        campaign = lookups.campaign_of(session, task.campaign_id)
        rater = lookups.rater_of(session, campaign, rater_id)
        lease = lookups.find_lease(session, task_id, rater)
        if lease is None:
            raise NotYoursError
        return _LockedTask(task, rater, lease, campaign, self.database.now(session))

    def _active_task(self, session: Session, campaign: CampaignRow, rater: RaterRow) -> str | None:
        if campaign.status not in ("active", "paused"):
            return None
        return session.scalars(
            select(LeaseRow.task_id)
            .join(TaskRow, and_(TaskRow.id == LeaseRow.task_id, lookups.OPEN_TASK))
            .where(
                LeaseRow.user_id == rater.user_id,
                LeaseRow.campaign_id == campaign.id,
                LeaseRow.state == "active",
                LeaseRow.expires_at > self.database.now(session),
            )
            .order_by(LeaseRow.claimed_at.desc())
            .limit(1)
        ).one_or_none()

    def _choose(self, session: Session, campaign: CampaignRow, rater: RaterRow) -> TaskRow | None:
        """Lock a task with a free place. Tasks that others have locked come last, and are waited for."""
        gold_first = random.random() < campaign.gold_share  # noqa: S311 - no secret
        for wait in (False, True):
            for task_id in self._candidates(session, campaign, rater, gold_first):
                task = lookups.lock(session, task_id, wait=wait)
                if task is not None and self._has_place(session, task, rater):
                    return task
        return None

    def _candidates(
        self, session: Session, campaign: CampaignRow, rater: RaterRow, gold_first: bool
    ) -> Iterator[str]:
        seen: list[str] = []
        while True:
            query = lookups.candidates(campaign, rater, self.database.now(session), gold_first)
            found = session.scalars(query.where(TaskRow.id.not_in(seen)).limit(_PAGE)).all()
            yield from found
            seen += found
            if len(found) < _PAGE:
                return

    def _has_place(self, session: Session, task: TaskRow, rater: RaterRow) -> bool:
        """Return whether the locked task has a free place, by its leases themselves."""
        if task.status not in ("pending", "in_progress"):
            return False
        return task.judgments_count + self._other_leases(session, task, rater) < task.judgments_wanted

    def _other_leases(self, session: Session, task: TaskRow, rater: RaterRow) -> int:
        return session.execute(
            select(func.count()).where(
                LeaseRow.task_id == task.id,
                LeaseRow.user_id != rater.user_id,
                LeaseRow.state == "active",
                LeaseRow.expires_at > self.database.now(session),
            )
        ).scalar_one()

    def _may_judge(self, session: Session, locked: _LockedTask) -> None:
        _not_withdrawn(locked.task)
        if locked.lease.state not in ("active", "expired"):
            raise RefusedError("You gave this task back. Take it again to judge it.")
        if locked.campaign.status == "completed":
            raise RefusedError("This campaign is over.")
        expired = locked.lease.state == "expired" or locked.lease.expires_at <= locked.now
        if expired and not self._has_place(session, locked.task, locked.rater):
            raise LeaseLostError

    def _lease(self, session: Session, task: TaskRow, campaign: CampaignRow, rater: RaterRow) -> None:
        now = self.database.now(session)
        session.execute(
            update(LeaseRow)
            .where(LeaseRow.task_id == task.id, LeaseRow.state == "active", LeaseRow.expires_at <= now)
            .values(state="expired")
        )
        task = self._counts.task_changed(session, task.id)
        if not self._has_place(session, task, rater):
            raise RefusedError("All places of this task are taken.")
        lease = lookups.find_lease(session, task.id, rater) or LeaseRow(
            tenant_id=task.tenant_id,
            campaign_id=task.campaign_id,
            task_id=task.id,
            user_id=rater.user_id,
            rater_id=rater.rater_id,
        )
        lease.state, lease.claimed_at = "active", now
        lease.expires_at = now + timedelta(seconds=campaign.lease_seconds)
        session.add(lease)
        self._counts.task_changed(session, task.id)

    def _claim_of(self, session: Session, task_id: str, rater: RaterRow) -> Claim:
        return Claim(
            lease=records.lease(lookups.lease_of(session, task_id, rater)),
            task=records.task(session.get_one(TaskRow, task_id, populate_existing=True)),
            content=records.content(session.get_one(ContentRow, task_id)),
            now=self.database.now(session),
        )

    def _emit(
        self, kind: EventKind, tenant_id: str, campaign_id: str, task_id: str, rater_id: str | None = None
    ) -> None:
        if self._on_event is not None:
            self._on_event(Event(kind, tenant_id, campaign_id, task_id, rater_id))


def _new_judgment(locked: _LockedTask) -> JudgmentRow:
    return JudgmentRow(
        tenant_id=locked.task.tenant_id,
        campaign_id=locked.task.campaign_id,
        task_id=locked.task.id,
        user_id=locked.rater.user_id,
        rater_id=locked.rater.rater_id,
    )


def _not_withdrawn(task: TaskRow) -> None:
    if task.status == "withdrawn":
        raise RefusedError("This task was withdrawn. Go on with the next one.")

"""Giving out tasks and taking judgments, with the same rules on every database.

Each method is one transaction that locks the task first, then looks, then writes: the sum of a task's
judgments and running leases never exceeds what is wanted, whoever comes at the same time, also through the
functions of a Supabase Postgres (`claim_task` and its sisters), which lock in the same order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from db.rating_task_models import Claim, Judgment, TaskLease, Verdict
from ratings import lookups, records
from ratings.counts import OPEN, Counts
from ratings.database import Database
from ratings.errors import AlreadyJudged, LeaseLost, NotOpen, NotYours, Refused, TooLate
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

_LOOKED_AT: Final = 20
_LONGEST: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class _Held:
    """A task that this transaction has locked, and the rater's lease of it."""

    task: TaskRow
    rater: RaterRow
    lease: LeaseRow
    campaign: CampaignRow
    now: datetime


class RatingStore:
    """The queue. A rater is named by the tenant's own `rater_id`; every method raises `RatingError`."""

    def __init__(self, database: Database, on_event: Listener | None = None) -> None:
        self.database: Final = database
        self._counts: Final = Counts(database)
        self._on_event = on_event

    def claim(self, campaign_id: str, rater_id: str) -> Claim | None:
        """Lease the rater the next task, or return the one they have; None when there is none now."""

        def work(session: Session) -> tuple[Claim | None, bool]:
            campaign = lookups.campaign_of(session, campaign_id)
            rater = lookups.rater_of(session, campaign, rater_id)
            self.database.lock_claims(session, rater.user_id)
            held = self._running(session, campaign, rater)
            if held is not None:
                return self._claim_of(session, held, rater), False
            if campaign.status != "active":
                raise NotOpen
            chosen = self._choose(session, campaign, rater)
            if chosen is None:
                return None, False
            self._lease(session, chosen, campaign, rater)
            return self._claim_of(session, chosen.id, rater), True

        claim, new = self.database.write(work)
        if claim is not None and new:
            self._tell(EventKind.TASK_CHANGED, claim.task.tenant_id, claim.task.campaign_id, claim.task.id)
        return claim

    def extend(self, task_id: str, rater_id: str) -> TaskLease:
        """Begin the lease anew, as a sign of life; one that ended comes back while its place is free."""

        def work(session: Session) -> TaskLease:
            held = self._hold(session, task_id, rater_id)
            _not_withdrawn(held.task)
            if held.lease.state not in ("active", "expired"):
                raise Refused("You do not have this task any more.")
            if held.lease.state == "active" and held.lease.expires_at > held.now:
                held.lease.expires_at = held.now + timedelta(seconds=held.campaign.lease_seconds)
                self._counts.task_changed(session, task_id)
            else:
                self._lease(session, held.task, held.campaign, held.rater)
            return records.lease(lookups.lease_of(session, task_id, held.rater))

        lease = self.database.write(work)
        self._tell(EventKind.TASK_CHANGED, lease.tenant_id, lease.campaign_id, task_id)
        return lease

    def skip(self, task_id: str, rater_id: str) -> TaskLease:
        """Leave the task to others; the rater is not given it again."""
        return self._end(task_id, rater_id, "skipped")

    def release(self, task_id: str, rater_id: str) -> TaskLease:
        """Give the task back, as one does who leaves; the rater may be given it again, last of all."""
        return self._end(task_id, rater_id, "released")

    def resume(self, task_id: str, rater_id: str) -> Claim:
        """Take a task again that was skipped, given back or left to expire, while there is a place."""

        def work(session: Session) -> Claim:
            held = self._hold(session, task_id, rater_id)
            if held.task.status not in ("pending", "in_progress") or held.lease.state == "submitted":
                raise Refused("There is nothing to be done for this task any more.")
            self._lease(session, held.task, held.campaign, held.rater)
            return self._claim_of(session, task_id, held.rater)

        claim = self.database.write(work)
        self._tell(EventKind.TASK_CHANGED, claim.task.tenant_id, claim.task.campaign_id, task_id)
        return claim

    def submit(
        self, task_id: str, rater_id: str, verdict: Verdict, comment: str = "", seconds: float | None = None
    ) -> Judgment:
        """Take the rater's verdict; the same again is the same judgment.

        After the end of the lease it still counts, unless somebody took the place: then `LeaseLost`.
        """
        if len(comment) > LONGEST_COMMENT:
            raise Refused(f"A comment has up to {LONGEST_COMMENT:,} characters.")

        def work(session: Session) -> tuple[Judgment, bool]:
            held = self._hold(session, task_id, rater_id)
            before = lookups.judgment_of(session, task_id, held.rater)
            if before is not None and before.undone_at is None:
                if (before.verdict, before.comment) != (verdict.value, comment):
                    raise AlreadyJudged
                return records.judgment(before), False
            self._may_judge(session, held)
            self.database.lock_counts(session, held.task.tenant_id)
            judgment = before or _new_judgment(held)
            elapsed = min(max((held.now - held.lease.claimed_at).total_seconds(), 0.0), _LONGEST)
            judgment.verdict, judgment.comment = verdict.value, comment
            judgment.seconds = elapsed if seconds is None else min(max(seconds, 0.0), elapsed)
            judgment.judged_at, judgment.undone_at = held.now, None
            # The lease first: between the two, the place would be counted twice.
            held.lease.state = "submitted"
            session.flush()
            session.add(judgment)
            self._counts.judged(session, judgment)
            self._counts.task_changed(session, task_id)
            session.refresh(judgment)
            return records.judgment(judgment), True

        judgment, new = self.database.write(work)
        if new:
            self._tell(EventKind.JUDGED, judgment.tenant_id, judgment.campaign_id, task_id, rater_id)
        return judgment

    def undo(self, task_id: str, rater_id: str) -> Claim:
        """Take the newest judgment back, within `undo_seconds` of the campaign; the task is theirs again."""

        def work(session: Session) -> Claim:
            held = self._hold(session, task_id, rater_id)
            judgment = lookups.judgment_of(session, task_id, held.rater)
            if judgment is None or judgment.undone_at is not None:
                raise Refused("There is no judgment of yours to undo.")
            if judgment.sealed_at is not None or held.now > judgment.judged_at + timedelta(
                seconds=held.campaign.undo_seconds
            ):
                raise TooLate
            _not_withdrawn(held.task)
            self.database.lock_counts(session, held.task.tenant_id)
            judgment.undone_at = held.now
            self._counts.undone(session, judgment)
            self._counts.task_changed(session, task_id)
            self._lease(session, held.task, held.campaign, held.rater)
            return self._claim_of(session, task_id, held.rater)

        claim = self.database.write(work)
        self._tell(EventKind.UNDONE, claim.task.tenant_id, claim.task.campaign_id, task_id, rater_id)
        return claim

    def settle(self, campaign_id: str) -> None:
        """Make final what nobody can undo any more, so that it is counted in agreement and ranking."""

        def work(session: Session) -> None:
            campaign = lookups.campaign_of(session, campaign_id)
            self.database.lock_counts(session, campaign.tenant_id)
            over = self.database.now(session) - timedelta(seconds=campaign.undo_seconds)
            due = select(JudgmentRow).where(
                JudgmentRow.campaign_id == campaign_id, OPEN, JudgmentRow.judged_at < over
            )
            self._counts.seal(session, due)

        self.database.write(work)

    def _end(self, task_id: str, rater_id: str, state: str) -> TaskLease:
        def work(session: Session) -> TaskLease:
            held = self._hold(session, task_id, rater_id)
            if held.lease.state not in ("active", "expired"):
                raise Refused("You do not have this task any more.")
            held.lease.state = state
            held.lease.expires_at = min(held.lease.expires_at, held.now)
            self._counts.task_changed(session, task_id)
            session.refresh(held.lease)
            return records.lease(held.lease)

        lease = self.database.write(work)
        self._tell(EventKind.TASK_CHANGED, lease.tenant_id, lease.campaign_id, task_id)
        return lease

    def _hold(self, session: Session, task_id: str, rater_id: str) -> _Held:
        task = lookups.lock(session, task_id, wait=True)
        if task is None:
            raise NotYours
        campaign = lookups.campaign_of(session, task.campaign_id)
        rater = lookups.rater_of(session, campaign, rater_id)
        lease = lookups.find_lease(session, task_id, rater)
        if lease is None:
            raise NotYours
        return _Held(task, rater, lease, campaign, self.database.now(session))

    def _running(self, session: Session, campaign: CampaignRow, rater: RaterRow) -> str | None:
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
        """Lock a task with a free place. Those that others have locked come last, and are waited for."""
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
            wanted = lookups.candidates(campaign, rater, self.database.now(session), gold_first)
            found = session.scalars(wanted.where(TaskRow.id.not_in(seen)).limit(_LOOKED_AT)).all()
            yield from found
            seen += found
            if len(found) < _LOOKED_AT:
                return

    def _has_place(self, session: Session, task: TaskRow, rater: RaterRow) -> bool:
        """Look again now that the task is locked, in the leases themselves."""
        if task.status not in ("pending", "in_progress"):
            return False
        return task.judgments_count + self._others_at_it(session, task, rater) < task.judgments_wanted

    def _others_at_it(self, session: Session, task: TaskRow, rater: RaterRow) -> int:
        return session.execute(
            select(func.count()).where(
                LeaseRow.task_id == task.id,
                LeaseRow.user_id != rater.user_id,
                LeaseRow.state == "active",
                LeaseRow.expires_at > self.database.now(session),
            )
        ).scalar_one()

    def _may_judge(self, session: Session, held: _Held) -> None:
        _not_withdrawn(held.task)
        if held.lease.state not in ("active", "expired"):
            raise Refused("You gave this task back. Take it again to judge it.")
        if held.campaign.status == "completed":
            raise Refused("This campaign is over.")
        over = held.lease.state == "expired" or held.lease.expires_at <= held.now
        if over and not self._has_place(session, held.task, held.rater):
            raise LeaseLost

    def _lease(self, session: Session, task: TaskRow, campaign: CampaignRow, rater: RaterRow) -> None:
        now = self.database.now(session)
        session.execute(
            update(LeaseRow)
            .where(LeaseRow.task_id == task.id, LeaseRow.state == "active", LeaseRow.expires_at <= now)
            .values(state="expired")
        )
        task = self._counts.task_changed(session, task.id)
        if not self._has_place(session, task, rater):
            raise Refused("All places of this task are taken.")
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

    def _tell(
        self, kind: EventKind, tenant_id: str, campaign_id: str, task_id: str, rater_id: str | None = None
    ) -> None:
        if self._on_event is not None:
            self._on_event(Event(kind, tenant_id, campaign_id, task_id, rater_id))


def _new_judgment(held: _Held) -> JudgmentRow:
    return JudgmentRow(
        tenant_id=held.task.tenant_id,
        campaign_id=held.task.campaign_id,
        task_id=held.task.id,
        user_id=held.rater.user_id,
        rater_id=held.rater.rater_id,
    )


def _not_withdrawn(task: TaskRow) -> None:
    if task.status == "withdrawn":
        raise Refused("This task was withdrawn. Go on with the next one.")

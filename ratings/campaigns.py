"""The part of the store that managers use: tenants, raters, campaigns and tasks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, TypeVar

from sqlalchemy import and_, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db.ratings.drafts import CampaignDraft, TaskDraft
from db.ratings.models import (
    Campaign,
    CampaignStatus,
    RaterProfile,
    RatingRole,
)
from db.ratings.task_models import RatingTask
from ratings import lookups, records
from ratings.counts import Counts, set_status
from ratings.database import Database, violates_constraint
from ratings.errors import NotFoundError, RefusedError
from ratings.events import Event, EventKind, Listener
from ratings.tables import CampaignRow, ContentRow, LeaseRow, RaterRow, SecretRow, TaskRow, TenantRow, new_id

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)


class CampaignStore:
    """Adds and changes tenants, raters, campaigns and tasks.

    `on_event` is called after each commit. Methods raise `RefusedError` for values that the database does not
    take, and SQLAlchemy's errors if it is unreachable.
    """

    def __init__(self, database: Database, on_event: Listener | None = None) -> None:
        self.database: Final = database
        self._counts: Final = Counts(database)
        self._on_event = on_event

    def add_tenant(self, tenant_id: str, name: str) -> None:
        """Add a tenant. An existing one stays as it is."""

        def work(session: Session) -> None:
            if session.get(TenantRow, tenant_id) is None:
                session.add(TenantRow(id=tenant_id, name=name))

        self._write(work, "This tenant cannot be added.")

    def add_rater(
        self,
        tenant_id: str,
        rater_id: str,
        name: str,
        role: RatingRole = RatingRole.RATER,
        *,
        brand_id: str | None = None,
        user_id: str | None = None,
    ) -> RaterProfile:
        """Add a rater, or return the existing one with this id.

        On a Supabase Postgres raters sign up through Auth, which makes their profile. There `user_id` has to
        be the id of an account. Raises `RefusedError`.
        """

        def work(session: Session) -> RaterProfile:
            found = session.scalars(
                select(RaterRow).where(RaterRow.tenant_id == tenant_id, RaterRow.rater_id == rater_id)
            ).one_or_none()
            if found is None:
                found = RaterRow(
                    user_id=user_id or new_id(),
                    tenant_id=tenant_id,
                    rater_id=rater_id,
                    name=name,
                    role=role.value,
                    brand_id=brand_id,
                )
                session.add(found)
                session.flush()
                session.refresh(found)
            return records.rater(found)

        return self._write(work, "Raters of a Supabase project sign up with an account.")

    def create(self, campaign_id: str, tenant_id: str, draft: CampaignDraft) -> Campaign:
        """Add a campaign, or return the existing one with this id. Raises `RefusedError`."""

        def work(session: Session) -> Campaign:
            row = session.get(CampaignRow, campaign_id)
            if row is None:
                row = CampaignRow(id=campaign_id, tenant_id=tenant_id, **draft.values())
                session.add(row)
                session.flush()
                session.refresh(row)
            return records.campaign(row)

        campaign = self._write(work, "There is no such tenant, or a value of the campaign is not possible.")
        self._emit(EventKind.CAMPAIGN_CHANGED, campaign)
        return campaign

    def set_status(self, campaign_id: str, status: CampaignStatus) -> Campaign:
        """Start, pause or complete a campaign. Completing it makes all its judgments final.

        Raises `NotFoundError`, or `RefusedError` for a return to draft.
        """

        def work(session: Session) -> Campaign:
            row = session.get(CampaignRow, campaign_id, with_for_update=True)
            if row is None:
                raise NotFoundError
            if status is CampaignStatus.DRAFT and row.status != status.value:
                raise RefusedError("A campaign that has begun can be paused, but is no draft any more.")
            finished = status is CampaignStatus.COMPLETED and row.status != status.value
            row.status = status.value
            session.flush()
            if finished:
                self._counts.campaign_finished(session, row)
            session.refresh(row)
            return records.campaign(row)

        campaign = self.database.write(work)
        self._emit(EventKind.CAMPAIGN_CHANGED, campaign)
        return campaign

    def add_tasks(self, campaign_id: str, drafts: Sequence[TaskDraft]) -> Sequence[RatingTask]:
        """Add tasks to the queue, all or none; existing ones stay as they are. Return all of them.

        Raises `NotFoundError` for the campaign, `RefusedError` for a task.
        """

        def work(session: Session) -> tuple[Campaign, Sequence[RatingTask], Sequence[str]]:
            campaign = lookups.campaign_of(session, campaign_id)
            ids = [draft.id for draft in drafts]
            known = set(session.scalars(select(TaskRow.id).where(TaskRow.id.in_(ids))))
            new = [draft for draft in drafts if draft.id not in known]
            for number, draft in enumerate(drafts, start=1):
                if campaign.task_types and draft.task_type not in campaign.task_types:
                    raise RefusedError(f"Task {number} is of a type that this campaign does not take.")
            # In two steps, because contents and secrets refer to their task.
            session.add_all([_task(campaign, draft) for draft in new])
            session.flush()
            session.add_all([row for draft in new for row in _details(campaign, draft)])
            session.flush()
            rows = session.scalars(
                select(TaskRow)
                .where(TaskRow.id.in_(ids), TaskRow.campaign_id == campaign_id)
                .order_by(TaskRow.created_at, TaskRow.id)
                .execution_options(populate_existing=True)
            )
            added = [draft.id for draft in new]
            return records.campaign(campaign), [records.task(row) for row in rows], added

        campaign, tasks, added = self._write(work, "A value of these tasks is not possible.")
        for task_id in added:
            self._emit(EventKind.TASK_CREATED, campaign, task_id)
        return tasks

    def withdraw(self, task_id: str) -> RatingTask:
        """Take a task out of the queue; its judgments stay. Raises `NotFoundError`."""

        def work(session: Session) -> RatingTask:
            task = self._locked(session, task_id)
            task.status = "withdrawn"
            session.flush()
            if not self.database.kept_by_triggers:
                for lease in session.scalars(
                    select(LeaseRow).where(LeaseRow.task_id == task_id, LeaseRow.state == "active")
                ):
                    lease.state = "released"
            return records.task(self._counts.task_changed(session, task_id))

        return self._write_task(work)

    def put_back(self, task_id: str) -> RatingTask:
        """Put a withdrawn task into the queue again. Raises `NotFoundError`."""

        def work(session: Session) -> RatingTask:
            task = self._locked(session, task_id)
            task.status = "pending"
            set_status(task, self.database.now(session))
            return records.task(self._counts.task_changed(session, task_id))

        return self._write_task(work)

    def tasks(
        self, tenant_id: str, *, newest: int = 500, before: RatingTask | None = None
    ) -> Sequence[RatingTask]:
        """Return the newest tasks of a tenant, or those older than `before`, newest first."""

        def work(session: Session) -> Sequence[RatingTask]:
            query = select(TaskRow).where(TaskRow.tenant_id == tenant_id)
            if before is not None:
                same_time = and_(TaskRow.created_at == before.created_at, TaskRow.id < before.id)
                query = query.where(or_(TaskRow.created_at < before.created_at, same_time))
            newest_first = query.order_by(TaskRow.created_at.desc(), TaskRow.id.desc())
            return [records.task(row) for row in session.scalars(newest_first.limit(newest))]

        return self.database.read(work)

    def task_ids(self, tenant_id: str) -> Sequence[str]:
        """Return the ids of all tasks of a tenant."""
        query = select(TaskRow.id).where(TaskRow.tenant_id == tenant_id)
        return self.database.read(lambda session: session.scalars(query).all())

    def open_count(self, campaign_id: str) -> int:
        """Return how many tasks of a campaign are not completed."""

        def work(session: Session) -> int:
            return session.execute(
                select(func.count()).where(TaskRow.campaign_id == campaign_id, lookups.OPEN_TASK)
            ).scalar_one()

        return self.database.read(work)

    def _locked(self, session: Session, task_id: str) -> TaskRow:
        task = lookups.lock(session, task_id, wait=True)
        if task is None:
            raise NotFoundError
        return task

    def _write_task(self, work: lookups.Work[RatingTask]) -> RatingTask:
        task = self.database.write(work)
        if self._on_event is not None:
            self._on_event(Event(EventKind.TASK_CHANGED, task.tenant_id, task.campaign_id, task.id))
        return task

    def _write(self, work: lookups.Work[T], refused: str) -> T:
        try:
            return self.database.write(work)
        except DBAPIError as error:
            if not violates_constraint(error):
                raise
            # Later lines of the message and the original error may contain the row with its secrets.
            _log.info("The database refused: %s", str(error.orig).partition("\n")[0])
            raise RefusedError(refused) from None

    def _emit(self, kind: EventKind, campaign: Campaign, task_id: str | None = None) -> None:
        if self._on_event is not None:
            event = Event(kind, campaign.tenant_id, campaign.id, task_id, brand_id=campaign.brand_id)
            self._on_event(event)


def _task(campaign: CampaignRow, draft: TaskDraft) -> TaskRow:
    return TaskRow(
        id=draft.id,
        tenant_id=campaign.tenant_id,
        campaign_id=campaign.id,
        brand_id=campaign.brand_id,
        task_type=draft.task_type,
        priority=draft.priority,
        judgments_wanted=campaign.judgments_per_task,
        judgments_count=0,
        leased_until=[],
        status="pending",
    )


def _details(campaign: CampaignRow, draft: TaskDraft) -> tuple[ContentRow, SecretRow]:
    content = ContentRow(
        task_id=draft.id,
        tenant_id=campaign.tenant_id,
        prompt=draft.prompt,
        candidate_a=draft.candidate_a,
        candidate_b=draft.candidate_b,
    )
    secret = SecretRow(
        task_id=draft.id,
        tenant_id=campaign.tenant_id,
        external_id=draft.external_id,
        name_a=draft.name_a,
        name_b=draft.name_b,
        model_a=draft.model_a,
        model_b=draft.model_b,
        gold_verdict=draft.gold_verdict.value if draft.gold_verdict else None,
        gold_reason=draft.gold_reason,
    )
    return content, secret

"""A tenant with raters and campaigns on any database, for the tests of the rating core."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from db.ratings.drafts import CampaignDraft, TaskDraft
from db.ratings.models import CampaignStatus, RaterProfile
from db.ratings.task_models import RatingTask, Verdict
from ratings import records
from ratings.analytics import Analytics
from ratings.campaigns import CampaignStore
from ratings.database import Database
from ratings.events import Event
from ratings.store import RatingStore
from ratings.tables import JudgmentRow, LeaseRow, RaterRow, TaskRow


def draft(**given: object) -> TaskDraft:
    """Return a task with two candidates."""
    default = TaskDraft(
        str(uuid.uuid4()),
        "tool_call_qa",
        "Which call is right? 🦉",
        {"call": "weather", "arguments": {"city": "Lima", "days": [1, 2.5, None]}},
        "weather(Lima)",
        "base",
        "adapter",
    )
    return replace(default, **given)  # type: ignore[arg-type]


@dataclass
class Workbench:
    """A database, a tenant for this test alone, and the stores."""

    database: Database
    tenant: str = field(default_factory=lambda: f"acme_{uuid.uuid4().hex[:10]}")
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.campaigns = CampaignStore(self.database, self.events.append)
        self.store = RatingStore(self.database, self.events.append)
        self.analytics = Analytics(self.database)
        self.campaigns.add_tenant(self.tenant, "Acme")

    def rater(self, brand_id: str | None = None) -> str:
        """Add a rater, with an account on a Supabase Postgres, and return the rater id."""
        rater_id, user_id = f"r-{uuid.uuid4().hex[:8]}", str(uuid.uuid4())
        if self.database.kept_by_triggers:
            self.database.write(
                lambda session: session.execute(
                    text("insert into auth.users (id, email) values (:id, :email)"),
                    {"id": user_id, "email": f"{user_id}@people.example"},
                )
            )
        self.campaigns.add_rater(self.tenant, rater_id, "Somebody", brand_id=brand_id, user_id=user_id)
        return rater_id

    def campaign(self, tasks: int | Sequence[TaskDraft] = 1, **settings: object) -> tuple[str, list[str]]:
        """Create an active campaign with these tasks; return its id and theirs, the most urgent first."""
        campaign = CampaignDraft("Tool calls", status=CampaignStatus.ACTIVE, **settings)  # type: ignore[arg-type]
        campaign_id = str(uuid.uuid4())
        self.campaigns.create(campaign_id, self.tenant, campaign)
        drafts = (
            [draft(priority=tasks - number) for number in range(tasks)] if isinstance(tasks, int) else tasks
        )
        self.campaigns.add_tasks(campaign_id, drafts)
        return campaign_id, [one.id for one in drafts]

    def claimed(self, campaign_id: str, rater_id: str) -> str | None:
        """Claim the next task and return its id."""
        claim = self.store.claim(campaign_id, rater_id)
        return claim.task.id if claim else None

    def judge_next(self, campaign_id: str, rater_id: str, verdict: Verdict = Verdict.A) -> str:
        """Claim and judge the next task, and return its id."""
        task_id = self.claimed(campaign_id, rater_id)
        assert task_id is not None
        self.store.submit(task_id, rater_id, verdict)
        return task_id

    def expire_leases(self, task_id: str) -> None:
        """Let all leases of a task expire now."""

        def work(session: Session) -> None:
            past = self.database.now(session) - timedelta(seconds=1)
            session.execute(update(LeaseRow).where(LeaseRow.task_id == task_id).values(expires_at=past))

        self.database.write(work)

    def backdate(self, task_id: str, by: timedelta) -> None:
        """Make the judgments of a task older."""

        def work(session: Session) -> None:
            for row in session.scalars(select(JudgmentRow).where(JudgmentRow.task_id == task_id)):
                row.judged_at -= by

        self.database.write(work)

    def task(self, task_id: str) -> RatingTask:
        """Read a task."""
        return self.database.read(lambda session: records.task(session.get_one(TaskRow, task_id)))

    def profile(self, rater_id: str) -> RaterProfile:
        """Read a rater."""
        return self.database.read(
            lambda session: records.rater(
                session.scalars(
                    select(RaterRow).where(RaterRow.tenant_id == self.tenant, RaterRow.rater_id == rater_id)
                ).one()
            )
        )

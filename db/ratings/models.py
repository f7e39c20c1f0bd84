"""Rows of tenants, invitations, raters and campaigns. Imports no client: the rating core uses it too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from db.columns import AwareDatetime, Model


class RatingRole(StrEnum):
    """A person's role in their tenant; `NONE` after they left."""

    RATER = "rater"
    MANAGER = "manager"
    NONE = "none"


class CampaignStatus(StrEnum):
    """The states of a campaign."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Tenant(Model):
    """An organization that has answers rated. Its id is a short name such as `acme_corp`."""

    id: str
    name: str
    open_signup: bool
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class TenantInvite(Model):
    """A code with which people join a tenant."""

    id: str
    tenant_id: str
    code: str
    role: RatingRole
    brand_id: str | None
    uses_left: int
    expires_at: AwareDatetime
    created_by: str | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    def usable(self, now: datetime) -> bool:
        """Whether a person can join with it now."""
        return self.uses_left > 0 and self.expires_at > now


@dataclass(frozen=True, slots=True)
class PublicRatingRole(Model):
    """A person's rating role, without their tenant. The app loads the rating tables for a person by it."""

    user_id: str
    role: RatingRole
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class RaterProfile(Model):
    """A member of a tenant, with counts. Agreement and gold tasks count final judgments only."""

    user_id: str
    tenant_id: str
    rater_id: str
    name: str
    role: RatingRole
    brand_id: str | None
    active: bool
    total_judgments: int
    compared: int
    agreed: int
    gold_total: int
    gold_correct: int
    streak: int
    best_streak: int
    last_judged_on: date | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @property
    def agreement(self) -> float | None:
        """The share of other raters' judgments of the same tasks that agree with this rater's, 0 to 1."""
        return self.agreed / self.compared if self.compared else None

    @property
    def gold_accuracy(self) -> float | None:
        """The share of gold tasks that were judged correctly, 0 to 1."""
        return self.gold_correct / self.gold_total if self.gold_total else None

    def streak_on(self, today: date) -> int:
        """Return the number of days in a row with a judgment, up to this UTC day; 0 if yesterday had none."""
        last = self.last_judged_on
        return self.streak if last is not None and last >= today - timedelta(days=1) else 0


@dataclass(frozen=True, slots=True)
class Campaign(Model):
    """A set of tasks with their rules. `gold_share` is 0 to 1."""

    id: str
    tenant_id: str
    name: str
    brand_id: str | None
    guidelines: str
    task_types: tuple[str, ...]
    judgments_per_task: int
    lease_seconds: int
    undo_seconds: int
    gold_share: float
    status: CampaignStatus
    created_by: str | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

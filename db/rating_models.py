"""Who rates for whom, and what: tenants, raters, campaigns, as values. A leaf, as `db.models`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from db import columns
from db.columns import Record


class RatingRole(StrEnum):
    """What somebody does for their tenant; `NONE` for those who left."""

    RATER = "rater"
    MANAGER = "manager"
    NONE = "none"


class CampaignStatus(StrEnum):
    """Where a campaign is."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization that has answers rated. Its id is a word, such as `acme_corp`."""

    id: str
    name: str
    open_signup: bool
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.tenants`."""
        return cls(
            id=columns.text(record, "id"),
            name=columns.text(record, "name"),
            open_signup=columns.boolean(record, "open_signup"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class TenantInvite:
    """A code that lets people into a tenant."""

    id: str
    tenant_id: str
    code: str
    role: RatingRole
    brand_id: str | None
    uses_left: int
    expires_at: datetime
    created_by: str | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.tenant_invites`."""
        return cls(
            id=columns.text(record, "id"),
            tenant_id=columns.text(record, "tenant_id"),
            code=columns.text(record, "code"),
            role=RatingRole(columns.text(record, "role")),
            brand_id=columns.optional_text(record, "brand_id"),
            uses_left=columns.integer(record, "uses_left"),
            expires_at=columns.moment(record, "expires_at"),
            created_by=columns.optional_text(record, "created_by"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

    def usable(self, now: datetime) -> bool:
        """Whether somebody could join with it."""
        return self.uses_left > 0 and self.expires_at > now


@dataclass(frozen=True, slots=True)
class RatingRoleOf:
    """That somebody rates, not for whom: what the app goes by to load the rating tables for a person."""

    user_id: str
    role: RatingRole
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.rating_roles`."""
        return cls(
            user_id=columns.text(record, "user_id"),
            role=RatingRole(columns.text(record, "role")),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class RaterProfile:
    """Who rates for a tenant, and how much. Counts of agreement and gold take final judgments only."""

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
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.rater_profiles`."""
        return cls(
            user_id=columns.text(record, "user_id"),
            tenant_id=columns.text(record, "tenant_id"),
            rater_id=columns.text(record, "rater_id"),
            name=columns.text(record, "name"),
            role=RatingRole(columns.text(record, "role")),
            brand_id=columns.optional_text(record, "brand_id"),
            active=columns.boolean(record, "active"),
            total_judgments=columns.integer(record, "total_judgments"),
            compared=columns.integer(record, "compared"),
            agreed=columns.integer(record, "agreed"),
            gold_total=columns.integer(record, "gold_total"),
            gold_correct=columns.integer(record, "gold_correct"),
            streak=columns.integer(record, "streak"),
            best_streak=columns.integer(record, "best_streak"),
            last_judged_on=columns.optional_day(record, "last_judged_on"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

    @property
    def agreement(self) -> float | None:
        """The share of pairs with another rater's judgment of the same task that are alike, 0 to 1."""
        return self.agreed / self.compared if self.compared else None

    @property
    def gold_accuracy(self) -> float | None:
        """The share of gold tasks that were judged as they should be, 0 to 1."""
        return self.gold_correct / self.gold_total if self.gold_total else None

    def streak_on(self, today: date) -> int:
        """Return the days in a row up to this day (UTC); 0 when yesterday went by without a judgment."""
        last = self.last_judged_on
        return self.streak if last is not None and last >= today - timedelta(days=1) else 0


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a tenant has rated, and how. `gold_share` is 0 to 1."""

    id: str
    tenant_id: str
    name: str
    brand_id: str | None
    guidelines: str
    task_types: Sequence[str]
    judgments_per_task: int
    lease_seconds: int
    undo_seconds: int
    gold_share: float
    status: CampaignStatus
    created_by: str | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.campaigns`."""
        return cls(
            id=columns.text(record, "id"),
            tenant_id=columns.text(record, "tenant_id"),
            name=columns.text(record, "name"),
            brand_id=columns.optional_text(record, "brand_id"),
            guidelines=columns.text(record, "guidelines"),
            task_types=tuple(str(item) for item in columns.items(record, "task_types")),
            judgments_per_task=columns.integer(record, "judgments_per_task"),
            lease_seconds=columns.integer(record, "lease_seconds"),
            undo_seconds=columns.integer(record, "undo_seconds"),
            gold_share=columns.number(record, "gold_share"),
            status=CampaignStatus(columns.text(record, "status")),
            created_by=columns.optional_text(record, "created_by"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )

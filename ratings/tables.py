"""The rating tables for SQLAlchemy, on all supported databases, with the columns of `supabase/migrations`.

On a Supabase Postgres the migrations create the tables, with policies and triggers. Elsewhere
`Base.metadata.create_all` creates them from here, and `ratings.counts` does what the triggers do there.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    column,
    func,
    text,
)
from sqlalchemy.dialects.mysql import DATETIME, MEDIUMTEXT
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

_EXACT: Final = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
"""Without this MariaDB takes `a` and `A` for the same id."""


class Moment(TypeDecorator[datetime]):
    """A time with its zone. Databases without time zones store UTC."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """Return the column type, which keeps microseconds everywhere."""
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a value for the database. Raises `ValueError` for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no zone")
        if dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a value from the database."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


def _length(table: str, column_name: str, least: int, most: int) -> CheckConstraint:
    """Return a check of a text's length, because SQLite stores texts of any length."""
    length = func.char_length(column(column_name))
    return CheckConstraint(length.between(least, most), name=f"{table}_{column_name}_length")


JSON_VALUE: Final = JSON().with_variant(JSONB, "postgresql")
JSON_OR_NULL: Final = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
LONG_TEXT: Final = Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")
ID: Final = Uuid(as_uuid=False)
WORD: Final = String(64)
LONGEST_COMMENT: Final = 2_000


def now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a new random id."""
    return str(uuid.uuid4())


class Base(DeclarativeBase):
    """The columns of every table. On a Supabase Postgres triggers set them, whatever is sent."""

    metadata = MetaData()

    version: Mapped[int] = mapped_column(default=1, onupdate=text("version + 1"))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    updated_at: Mapped[datetime] = mapped_column(Moment, default=now, onupdate=now)


class TenantRow(Base):
    """`tenants`."""

    __tablename__ = "tenants"
    __table_args__ = (_EXACT,)

    id: Mapped[str] = mapped_column(WORD, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    open_signup: Mapped[bool] = mapped_column(default=False)


class RaterRow(Base):
    """`rater_profiles`. Without Supabase `user_id` is no account, just an id."""

    __tablename__ = "rater_profiles"
    __table_args__ = (UniqueConstraint("tenant_id", "rater_id", name="rater_profiles_rater_id_key"), _EXACT)

    user_id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    tenant_id: Mapped[str] = mapped_column(WORD, ForeignKey("tenants.id", ondelete="CASCADE"))
    rater_id: Mapped[str] = mapped_column(WORD)
    name: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(16), default="rater")
    brand_id: Mapped[str | None] = mapped_column(WORD)
    active: Mapped[bool] = mapped_column(default=True)
    total_judgments: Mapped[int] = mapped_column(default=0)
    compared: Mapped[int] = mapped_column(default=0)
    agreed: Mapped[int] = mapped_column(default=0)
    gold_total: Mapped[int] = mapped_column(default=0)
    gold_correct: Mapped[int] = mapped_column(default=0)
    streak: Mapped[int] = mapped_column(default=0)
    best_streak: Mapped[int] = mapped_column(default=0)
    last_judged_on: Mapped[date | None]


class CampaignRow(Base):
    """`campaigns`."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("judgments_per_task between 1 and 100", name="campaigns_judgments_per_task_range"),
        CheckConstraint("lease_seconds between 5 and 86400", name="campaigns_lease_seconds_range"),
        CheckConstraint("undo_seconds between 0 and 3600", name="campaigns_undo_seconds_range"),
        CheckConstraint("gold_share between 0 and 1", name="campaigns_gold_share_range"),
        _length("campaigns", "name", 1, 120),
        _length("campaigns", "guidelines", 0, 20_000),
        CheckConstraint(
            "status in ('draft', 'active', 'paused', 'completed')", name="campaigns_status_known"
        ),
        _EXACT,
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    tenant_id: Mapped[str] = mapped_column(WORD, ForeignKey("tenants.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    brand_id: Mapped[str | None] = mapped_column(WORD)
    guidelines: Mapped[str] = mapped_column(LONG_TEXT, default="")
    task_types: Mapped[list[str]] = mapped_column(JSON_VALUE, default=list)
    judgments_per_task: Mapped[int] = mapped_column(default=3)
    lease_seconds: Mapped[int] = mapped_column(default=600)
    undo_seconds: Mapped[int] = mapped_column(default=60)
    gold_share: Mapped[float] = mapped_column(Double, default=0.0)
    status: Mapped[str] = mapped_column(String(16), default="draft")
    created_by: Mapped[str | None] = mapped_column(ID)


class TaskRow(Base):
    """`rating_tasks`."""

    __tablename__ = "rating_tasks"
    __table_args__ = (
        # Even a bug in the code cannot cause more judgments than wanted.
        CheckConstraint(
            "judgments_count between 0 and judgments_wanted", name="rating_tasks_judgments_count_range"
        ),
        CheckConstraint(
            "status in ('pending', 'in_progress', 'completed', 'withdrawn')", name="rating_tasks_status_known"
        ),
        CheckConstraint("priority between -1000 and 1000", name="rating_tasks_priority_range"),
        _length("rating_tasks", "task_type", 1, 60),
        Index("rating_tasks_queue_idx", "campaign_id", "status", "priority", "created_at"),
        _EXACT,
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    tenant_id: Mapped[str] = mapped_column(WORD, ForeignKey("tenants.id", ondelete="CASCADE"))
    campaign_id: Mapped[str] = mapped_column(ID, ForeignKey("campaigns.id", ondelete="CASCADE"))
    brand_id: Mapped[str | None] = mapped_column(WORD)
    task_type: Mapped[str] = mapped_column(String(60))
    priority: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(16), default="pending")
    judgments_wanted: Mapped[int] = mapped_column(default=1)
    judgments_count: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[list[str]] = mapped_column(JSON_VALUE, default=list)
    auto_check_status: Mapped[str] = mapped_column(String(16), default="none")
    auto_check: Mapped[dict[str, object] | None] = mapped_column(JSON_OR_NULL)
    completed_at: Mapped[datetime | None] = mapped_column(Moment)


class ContentRow(Base):
    """`rating_task_contents`."""

    __tablename__ = "rating_task_contents"
    __table_args__ = (_length("rating_task_contents", "prompt", 1, 50_000), _EXACT)

    task_id: Mapped[str] = mapped_column(
        ID, ForeignKey("rating_tasks.id", ondelete="CASCADE"), primary_key=True
    )
    tenant_id: Mapped[str] = mapped_column(WORD, ForeignKey("tenants.id", ondelete="CASCADE"))
    prompt: Mapped[str] = mapped_column(LONG_TEXT)
    candidate_a: Mapped[object] = mapped_column(JSON_VALUE)
    candidate_b: Mapped[object] = mapped_column(JSON_VALUE)


class SecretRow(Base):
    """`rating_task_secrets`."""

    __tablename__ = "rating_task_secrets"
    __table_args__ = (
        CheckConstraint("name_a <> name_b", name="rating_task_secrets_names_differ"),
        _length("rating_task_secrets", "name_a", 1, 120),
        _length("rating_task_secrets", "name_b", 1, 120),
        _EXACT,
    )

    task_id: Mapped[str] = mapped_column(
        ID, ForeignKey("rating_tasks.id", ondelete="CASCADE"), primary_key=True
    )
    tenant_id: Mapped[str] = mapped_column(WORD, ForeignKey("tenants.id", ondelete="CASCADE"))
    external_id: Mapped[str | None] = mapped_column(String(200))
    name_a: Mapped[str] = mapped_column(String(120))
    name_b: Mapped[str] = mapped_column(String(120))
    model_a: Mapped[str | None] = mapped_column(String(200))
    model_b: Mapped[str | None] = mapped_column(String(200))
    gold_verdict: Mapped[str | None] = mapped_column(String(16))
    gold_reason: Mapped[str | None] = mapped_column(LONG_TEXT)


class LeaseRow(Base):
    """`task_leases`."""

    __tablename__ = "task_leases"
    __table_args__ = (
        UniqueConstraint("task_id", "user_id", name="task_leases_rater_key"),
        Index("task_leases_user_id_idx", "user_id", "campaign_id", "state"),
        _EXACT,
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    tenant_id: Mapped[str] = mapped_column(WORD, ForeignKey("tenants.id", ondelete="CASCADE"))
    campaign_id: Mapped[str] = mapped_column(ID, ForeignKey("campaigns.id", ondelete="CASCADE"))
    task_id: Mapped[str] = mapped_column(ID, ForeignKey("rating_tasks.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ID)
    rater_id: Mapped[str] = mapped_column(WORD)
    state: Mapped[str] = mapped_column(String(16), default="active")
    claimed_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class JudgmentRow(Base):
    """`judgments`."""

    __tablename__ = "judgments"
    __table_args__ = (
        UniqueConstraint("task_id", "rater_id", name="judgments_rater_key"),
        UniqueConstraint("task_id", "user_id", name="judgments_user_key"),
        CheckConstraint("verdict in ('A', 'B', 'tie', 'both_bad')", name="judgments_verdict_known"),
        _length("judgments", "comment", 0, LONGEST_COMMENT),
        Index("judgments_campaign_id_idx", "campaign_id", "judged_at"),
        Index("judgments_user_id_idx", "user_id", "judged_at"),
        _EXACT,
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    tenant_id: Mapped[str] = mapped_column(WORD, ForeignKey("tenants.id", ondelete="CASCADE"))
    campaign_id: Mapped[str] = mapped_column(ID, ForeignKey("campaigns.id", ondelete="CASCADE"))
    task_id: Mapped[str] = mapped_column(ID, ForeignKey("rating_tasks.id", ondelete="CASCADE"))
    user_id: Mapped[str | None] = mapped_column(ID)
    rater_id: Mapped[str] = mapped_column(WORD)
    verdict: Mapped[str] = mapped_column(String(16))
    comment: Mapped[str] = mapped_column(LONG_TEXT, default="")
    seconds: Mapped[float] = mapped_column(Double, default=0.0)
    judged_at: Mapped[datetime] = mapped_column(Moment)
    sealed_at: Mapped[datetime | None] = mapped_column(Moment)
    undone_at: Mapped[datetime | None] = mapped_column(Moment)


class TallyRow(Base):
    """`candidate_tallies`."""

    __tablename__ = "candidate_tallies"
    __table_args__ = (
        UniqueConstraint("campaign_id", "first", "second", name="candidate_tallies_pair_key"),
        _EXACT,
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    tenant_id: Mapped[str] = mapped_column(WORD, ForeignKey("tenants.id", ondelete="CASCADE"))
    campaign_id: Mapped[str] = mapped_column(ID, ForeignKey("campaigns.id", ondelete="CASCADE"))
    brand_id: Mapped[str | None] = mapped_column(WORD)
    first: Mapped[str] = mapped_column(String(120))
    second: Mapped[str] = mapped_column(String(120))
    first_wins: Mapped[int] = mapped_column(default=0)
    second_wins: Mapped[int] = mapped_column(default=0)
    ties: Mapped[int] = mapped_column(default=0)
    both_bad: Mapped[int] = mapped_column(default=0)
    published: Mapped[bool] = mapped_column(default=False)

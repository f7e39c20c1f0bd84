"""Rating: roles, tenants, raters, campaigns, tasks, leases, judgments and tallies.

Everybody may read the roles; the other tables are loaded only for people who rate.
"""

from __future__ import annotations

from typing import Final, cast

from db.ratings.models import Campaign, PublicRatingRole, RaterProfile, RatingRole, Tenant, TenantInvite
from db.ratings.task_models import CandidateTally, Judgment, RatingTask, TaskLease
from livetables.tables.spec import PublicTables, TableSpec, Visibility

_ROLES: Final = "rating_roles"


def _is_member(user_id: str, public: PublicTables) -> bool:
    return _role_in(user_id, public) is not RatingRole.NONE


def _is_manager(user_id: str, public: PublicTables) -> bool:
    return _role_in(user_id, public) is RatingRole.MANAGER


def _was_ever_member(user_id: str, public: PublicTables) -> bool:
    # Who was suspended sees their own profile, which says so.
    return _role_row(user_id, public) is not None


def _role_in(user_id: str, public: PublicTables) -> RatingRole:
    row = _role_row(user_id, public)
    return row.role if row else RatingRole.NONE


def _permission_version(user_id: str, public: PublicTables) -> int:
    row = _role_row(user_id, public)
    return row.version if row else 0


def _own_rows_unless_manager(user_id: str, public: PublicTables) -> tuple[str, ...]:
    # With a filter, Realtime checks the policies of a change once, and not once for every connected person.
    # Managers get none: tenants are not public, so only the policies know which rows are theirs.
    return () if _is_manager(user_id, public) else (f"user_id=eq.{user_id}",)


def _own_profile_unless_member(user_id: str, public: PublicTables) -> tuple[str, ...]:
    return () if _is_member(user_id, public) else (f"user_id=eq.{user_id}",)


def _role_row(user_id: str, public: PublicTables) -> PublicRatingRole | None:
    return cast("PublicRatingRole | None", public[_ROLES].get((user_id,))) if _ROLES in public else None


RATING_ROLES: Final = TableSpec(
    name=_ROLES,
    key=("user_id",),
    parse=PublicRatingRole.from_record,
)

TENANTS: Final = TableSpec(
    name="tenants",
    key=("id",),
    parse=Tenant.from_record,
    visibility=Visibility.USER,
    visible_to=_is_member,
    permission_version=_permission_version,
)

TENANT_INVITES: Final = TableSpec(
    name="tenant_invites",
    key=("id",),
    parse=TenantInvite.from_record,
    visibility=Visibility.USER,
    visible_to=_is_manager,
    permission_version=_permission_version,
)

RATER_PROFILES: Final = TableSpec(
    name="rater_profiles",
    key=("user_id",),
    parse=RaterProfile.from_record,
    visibility=Visibility.USER,
    visible_to=_was_ever_member,
    permission_version=_permission_version,
    filters=_own_profile_unless_member,
)

CAMPAIGNS: Final = TableSpec(
    name="campaigns",
    key=("id",),
    parse=Campaign.from_record,
    visibility=Visibility.USER,
    visible_to=_is_member,
    permission_version=_permission_version,
)

RATING_TASKS: Final = TableSpec(
    name="rating_tasks",
    key=("id",),
    parse=RatingTask.from_record,
    visibility=Visibility.USER,
    order="created_at",
    window=1000,
    visible_to=_is_member,
    permission_version=_permission_version,
)

TASK_LEASES: Final = TableSpec(
    name="task_leases",
    key=("id",),
    parse=TaskLease.from_record,
    visibility=Visibility.USER,
    order="created_at",
    window=1000,
    visible_to=_is_member,
    permission_version=_permission_version,
    filters=_own_rows_unless_manager,
)

JUDGMENTS: Final = TableSpec(
    name="judgments",
    key=("id",),
    parse=Judgment.from_record,
    visibility=Visibility.USER,
    order="created_at",
    window=1000,
    visible_to=_is_member,
    permission_version=_permission_version,
    filters=_own_rows_unless_manager,
)

CANDIDATE_TALLIES: Final = TableSpec(
    name="candidate_tallies",
    key=("id",),
    parse=CandidateTally.from_record,
    visibility=Visibility.USER,
    visible_to=_is_member,
    permission_version=_permission_version,
)

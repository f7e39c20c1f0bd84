"""Who rates, and who manages rating: public, and what the other rating tables go by."""

from __future__ import annotations

from typing import Final, cast

from db.rating_models import RatingRole, RatingRoleOf
from live.changes import Change
from live.rows import Rows
from live.tables import PublicTables, TableSpec

_TABLE: Final = "rating_roles"


def handle_rating_roles_change(rows: Rows[RatingRoleOf], change: Change[RatingRoleOf]) -> Rows[RatingRoleOf]:
    """Add or replace somebody's role, or remove it with their account."""
    return rows.apply(change)


def role_of(user_id: str, public: PublicTables) -> RatingRole:
    """Return what this person does for a tenant."""
    row = cast("RatingRoleOf | None", public[_TABLE].get((user_id,))) if _TABLE in public else None
    return row.role if row else RatingRole.NONE


def rates(user_id: str, public: PublicTables) -> bool:
    """Whether this person belongs to a tenant: others load none of the rating tables."""
    return role_of(user_id, public) is not RatingRole.NONE


def manages(user_id: str, public: PublicTables) -> bool:
    """Whether this person manages a tenant. With it, all that a person may read is loaded anew."""
    return role_of(user_id, public) is RatingRole.MANAGER


def standing(user_id: str, public: PublicTables) -> int:
    """Return what grows with every change of this person's role."""
    row = cast("RatingRoleOf | None", public[_TABLE].get((user_id,))) if _TABLE in public else None
    return row.version if row else 0


def own_rows(user_id: str, public: PublicTables) -> tuple[str, ...]:
    """Follow a rater's own rows only, at the price of one check a change; a manager follows the tenant's.

    There is no filter for a tenant: which one somebody belongs to is not public, and the policies know.
    """
    return () if manages(user_id, public) else (f"user_id=eq.{user_id}",)


SPEC = TableSpec(
    name=_TABLE,
    key=("user_id",),
    parse=RatingRoleOf.from_record,
    version=lambda role: role.version,
    handler=handle_rating_roles_change,
)

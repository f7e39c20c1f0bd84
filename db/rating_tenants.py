"""Tenants and their people: founding, inviting, joining."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from db import rows
from db.columns import Record
from db.errors import Unreachable
from db.rating_models import RatingRole
from db.rows import Caller

TENANTS = "tenants"
INVITES = "tenant_invites"
PROFILES = "rater_profiles"


@dataclass(frozen=True, slots=True)
class Joining:
    """How somebody wants to join: a tenant with open sign-up, or a code. No rater id means: make one."""

    tenant_id: str | None = None
    invite_code: str | None = None
    rater_id: str | None = None
    name: str | None = None

    def metadata(self) -> dict[str, str]:
        """Return the same as metadata of a sign-up, which the database looks at once, when it is made."""
        said = {
            "tenant_id": self.tenant_id,
            "invite_code": self.invite_code,
            "rater_id": self.rater_id,
            "name": self.name,
        }
        return {key: value for key, value in said.items() if value}


def found(me: Caller, tenant_id: str, name: str, *, open_signup: bool = False) -> Record:
    """Found a tenant and become its first manager; return one's profile."""
    params = {"p_id": tenant_id, "p_name": name, "p_open_signup": open_signup}
    return _become(me, "create_tenant", params, tenant_id)


def join(me: Caller, joining: Joining) -> Record:
    """Become a rater, or what the invitation says; return one's profile. Raises `Invalid` when not let in."""
    params = {
        "p_tenant": joining.tenant_id,
        "p_code": joining.invite_code,
        "p_rater_id": joining.rater_id,
        "p_name": joining.name,
    }
    return _become(me, "join_tenant", params, joining.tenant_id)


def _become(me: Caller, function: str, params: Mapping[str, object], tenant_id: str | None) -> Record:
    """Become a member. Who is one afterwards has become it, where the answer got lost: nobody is in two."""
    try:
        return cast("Record", rows.call(me, function, params))
    except Unreachable as error:
        profile = rows.find(me, PROFILES, {"user_id": me.user_id}) if error.worth_looking else None
        if profile is None or tenant_id not in (None, profile["tenant_id"]):
            raise
        return profile


def open_ones(me: Caller) -> list[Record]:
    """List the tenants that anybody may join: `id` and `name`."""
    return cast("list[Record]", rows.call(me, "open_tenants", {}))


def change(me: Caller, tenant_id: str, values: rows.Values, version: int) -> Record:
    """Change `name` or `open_signup`, as a manager who saw this version."""
    return rows.update(me, TENANTS, {"id": tenant_id}, values, version)


def invite(
    me: Caller,
    invite_id: str,
    tenant_id: str,
    role: RatingRole = RatingRole.RATER,
    *,
    uses: int = 1,
    expires_at: datetime | None = None,
    brand_id: str | None = None,
) -> Record:
    """Make an invitation, good for two weeks unless told; return it with its code."""
    values: dict[str, str | int | bool | None] = {
        "tenant_id": tenant_id,
        "role": role.value,
        "uses_left": uses,
        "brand_id": brand_id,
    }
    if expires_at is not None:
        values["expires_at"] = expires_at.isoformat()
    return rows.insert(me, INVITES, {"id": invite_id}, values)


def withdraw_invite(me: Caller, invite_id: str) -> None:
    """Take an invitation back."""
    rows.delete(me, INVITES, {"id": invite_id})


def rename(me: Caller, name: str, version: int) -> Record:
    """Change one's own name among the raters."""
    return rows.update(me, PROFILES, {"user_id": me.user_id}, {"name": name}, version)


def set_role(me: Caller, user_id: str, role: RatingRole, version: int) -> Record:
    """Make somebody of the tenant a rater or a manager."""
    return rows.update(me, PROFILES, {"user_id": user_id}, {"role": role.value}, version)


def suspend(me: Caller, user_id: str, version: int) -> Record:
    """Let somebody see and rate nothing any more; their judgments stay."""
    return rows.update(me, PROFILES, {"user_id": user_id}, {"active": False}, version)


def reinstate(me: Caller, user_id: str, version: int) -> Record:
    """Take somebody back."""
    return rows.update(me, PROFILES, {"user_id": user_id}, {"active": True}, version)

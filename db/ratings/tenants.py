"""Tenants and their members: creating a tenant, inviting people, joining."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from db import rows
from db.caller import Caller
from db.columns import Record
from db.errors import UnreachableError
from db.ratings.models import RatingRole

TENANTS = "tenants"
INVITES = "tenant_invites"
PROFILES = "rater_profiles"


@dataclass(frozen=True, slots=True)
class Joining:
    """How a person joins: by a tenant with open sign-up, or by a code. A missing rater id is made up."""

    tenant_id: str | None = None
    invite_code: str | None = None
    rater_id: str | None = None
    name: str | None = None

    def metadata(self) -> dict[str, str]:
        """Return it as metadata for a sign-up; the database lets the new account join by it."""
        fields = {
            "tenant_id": self.tenant_id,
            "invite_code": self.invite_code,
            "rater_id": self.rater_id,
            "name": self.name,
        }
        return {key: value for key, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class InviteDraft:
    """An invitation to create. `uses` is for how many people; `expires_at` None means in two weeks."""

    tenant_id: str
    role: RatingRole = RatingRole.RATER
    uses: int = 1
    expires_at: datetime | None = None
    brand_id: str | None = None

    def values(self) -> dict[str, str | int | bool | None]:
        """Return the columns."""
        values: dict[str, str | int | bool | None] = {
            "tenant_id": self.tenant_id,
            "role": self.role.value,
            "uses_left": self.uses,
            "brand_id": self.brand_id,
        }
        if self.expires_at is not None:
            values["expires_at"] = self.expires_at.isoformat()
        return values


def create(me: Caller, tenant_id: str, name: str, *, open_signup: bool = False) -> Record:
    """Create a tenant with this person as its first manager; return their profile.

    If `tenant_id` is taken, the database makes another id that begins with it.
    """
    params = {"p_id": tenant_id, "p_name": name, "p_open_signup": open_signup}
    return _call_and_get_profile(me, "create_tenant", params, None)


def join(me: Caller, joining: Joining) -> Record:
    """Join a tenant as a rater, or in the role of the invitation; return this person's profile.

    Raises `InvalidValueError` when the tenant or the code does not let them join.
    """
    params = {
        "p_tenant": joining.tenant_id,
        "p_code": joining.invite_code,
        "p_rater_id": joining.rater_id,
        "p_name": joining.name,
    }
    return _call_and_get_profile(me, "join_tenant", params, joining.tenant_id)


def _call_and_get_profile(
    me: Caller, function: str, params: Mapping[str, object], tenant_id: str | None
) -> Record:
    # A person has one tenant. So after a lost answer, a profile in the tenant shows that the call was made.
    try:
        return cast("Record", rows.call(me, function, params))
    except UnreachableError as error:
        profile = rows.find(me, PROFILES, {"user_id": me.user_id}) if error.answer_lost else None
        if profile is None or tenant_id not in (None, profile["tenant_id"]):
            raise
        return profile


def list_open(me: Caller) -> list[Record]:
    """Read the tenants that anybody may join: `id` and `name`."""
    return cast("list[Record]", rows.call(me, "open_tenants", {}))


def change(me: Caller, tenant_id: str, values: rows.Values, version: int) -> Record:
    """Change `name` or `open_signup` of a tenant that this manager saw at `version`."""
    return rows.update(me, TENANTS, {"id": tenant_id}, values, version)


def invite(me: Caller, invite_id: str, draft: InviteDraft) -> Record:
    """Create an invitation, as a manager; return it with its code."""
    return rows.insert(me, INVITES, {"id": invite_id}, draft.values())


def withdraw_invite(me: Caller, invite_id: str) -> None:
    """Delete an invitation."""
    rows.delete(me, INVITES, {"id": invite_id})


def rename(me: Caller, name: str, version: int) -> Record:
    """Change this person's name among the raters."""
    return rows.update(me, PROFILES, {"user_id": me.user_id}, {"name": name}, version)


def set_role(me: Caller, user_id: str, role: RatingRole, version: int) -> Record:
    """Make a member of the tenant a rater or a manager; managers may."""
    return rows.update(me, PROFILES, {"user_id": user_id}, {"role": role.value}, version)


def suspend(me: Caller, user_id: str, version: int) -> Record:
    """Take a member's access away; their judgments stay."""
    return rows.update(me, PROFILES, {"user_id": user_id}, {"active": False}, version)


def reinstate(me: Caller, user_id: str, version: int) -> Record:
    """Give a suspended member their access back."""
    return rows.update(me, PROFILES, {"user_id": user_id}, {"active": True}, version)

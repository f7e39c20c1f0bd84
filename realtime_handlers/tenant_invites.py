"""Invitations into a tenant, for its managers."""

from __future__ import annotations

from db.rating_models import TenantInvite
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.rating_roles import manages, standing


def handle_tenant_invites_change(
    rows: Rows[TenantInvite], change: Change[TenantInvite]
) -> Rows[TenantInvite]:
    """Add or replace an invitation, or remove one that was taken back."""
    return rows.apply(change)


SPEC = TableSpec(
    name="tenant_invites",
    key=("id",),
    parse=TenantInvite.from_record,
    version=lambda invite: invite.version,
    handler=handle_tenant_invites_change,
    audience=Audience.USER,
    visible_to=manages,
    standing=standing,
)

"""The tenant a person belongs to."""

from __future__ import annotations

from db.rating_models import Tenant
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.rating_roles import rates, standing


def handle_tenants_change(rows: Rows[Tenant], change: Change[Tenant]) -> Rows[Tenant]:
    """Add or replace a tenant."""
    return rows.apply(change)


SPEC = TableSpec(
    name="tenants",
    key=("id",),
    parse=Tenant.from_record,
    version=lambda tenant: tenant.version,
    handler=handle_tenants_change,
    audience=Audience.USER,
    visible_to=rates,
    standing=standing,
)

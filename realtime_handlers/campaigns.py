"""What one's tenant has rated."""

from __future__ import annotations

from db.rating_models import Campaign
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.rating_roles import rates, standing


def handle_campaigns_change(rows: Rows[Campaign], change: Change[Campaign]) -> Rows[Campaign]:
    """Add or replace a campaign."""
    return rows.apply(change)


SPEC = TableSpec(
    name="campaigns",
    key=("id",),
    parse=Campaign.from_record,
    version=lambda campaign: campaign.version,
    handler=handle_campaigns_change,
    audience=Audience.USER,
    visible_to=rates,
    standing=standing,
)

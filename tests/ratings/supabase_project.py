"""Supabase and files for the tests of the rating core: tenants, bridges, signed-in raters, campaigns."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from db.ratings.drafts import CampaignDraft
from db.ratings.models import CampaignStatus
from ratings.bridge import SupabaseBridge
from ratings.hybrid import HybridRaterApp
from tests.support.people import PASSWORD

NEVER = 3600.0
"""Seconds between two polls: news can come from Realtime only."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant of the Supabase project, and the invite code that admits people."""

    id: str
    code: str


def signed_up(bridge: SupabaseBridge, tenant: Tenant, rater_id: str) -> SupabaseBridge:
    """Sign a rater up and in."""
    metadata = {"rater_id": rater_id, "name": "John Doe", "tenant_id": tenant.id, "invite_code": tenant.code}
    email = f"{uuid.uuid4().hex}@raters.example"
    bridge.sign_up_rater(email, PASSWORD, metadata)
    answer = bridge.sign_in_rater(email, PASSWORD)
    assert answer.session is not None
    return bridge


def campaign(app: HybridRaterApp, tenant_id: str) -> str:
    """Create an active campaign and return its id."""
    campaign_id = str(uuid.uuid4())
    app.campaigns.add_tenant(tenant_id, "Acme")
    app.campaigns.create(campaign_id, tenant_id, CampaignDraft("Tool calls", status=CampaignStatus.ACTIVE))
    return campaign_id

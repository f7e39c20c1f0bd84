"""Which campaigns a person can choose, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from db.ratings.models import Campaign, CampaignStatus, RatingRole
from ui.ratings.campaign_choice import visible_campaigns

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def campaign(name: str, status: CampaignStatus, days: int) -> Campaign:
    made = NOW + timedelta(days=days)
    return Campaign(name, "t", name, None, "", (), 1, 600, 60, 0.0, status, None, 1, made, made)


def test_active_campaigns_come_first_then_the_newest_and_only_managers_see_drafts() -> None:
    campaigns = [
        campaign("over", CampaignStatus.COMPLETED, 3),
        campaign("older", CampaignStatus.ACTIVE, 0),
        campaign("draft", CampaignStatus.DRAFT, 2),
        campaign("newer", CampaignStatus.ACTIVE, 1),
    ]
    assert [one.id for one in visible_campaigns(campaigns, RatingRole.MANAGER)] == [
        "newer", "older", "over", "draft",
    ]  # fmt: skip
    assert [one.id for one in visible_campaigns(campaigns, RatingRole.RATER)] == ["newer", "older", "over"]

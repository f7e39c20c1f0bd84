"""The campaign that a person works on: chosen in a list, kept in the address, new ones announced."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import streamlit as st

from db.ratings.models import (
    Campaign,
    CampaignStatus,
    RaterProfile,
    RatingRole,
)
from livetables.fragments import live_fragment
from ui.base import address
from ui.base.folding import as_option
from ui.base.text import as_label, one_line
from ui.ratings import tables

_CAMPAIGN: Final = "rating_campaign"
_LAST: Final = "rating_campaign_of_last_visit"
_PARAMETER: Final = "campaign"


def visible_campaigns(campaigns: Iterable[Campaign], role: RatingRole) -> list[Campaign]:
    """Return the campaigns to choose from: active ones first, then the newest. Only managers see drafts."""
    visible = [
        campaign
        for campaign in campaigns
        if role is RatingRole.MANAGER or campaign.status is not CampaignStatus.DRAFT
    ]
    newest = sorted(visible, key=lambda campaign: campaign.created_at, reverse=True)
    return sorted(newest, key=lambda campaign: campaign.status is not CampaignStatus.ACTIVE)


def choose_campaign(me: RaterProfile) -> Campaign | None:
    """Let the person choose among the campaigns; None when there is none yet."""
    campaigns = visible_campaigns(tables.campaigns().values(), me.role)
    _announce_new(frozenset(campaign.id for campaign in campaigns))
    return _choose(campaigns) if campaigns else None


def _choose(campaigns: list[Campaign]) -> Campaign:
    known = {campaign.id: campaign for campaign in campaigns}
    linked = address.read(_PARAMETER)
    # Without a link it is the one of the last visit to the page.
    candidates = (linked, st.session_state.get(_LAST), campaigns[0].id)
    chosen = next(one for one in candidates if one is not None and one in known)
    st.session_state[_CAMPAIGN] = st.session_state[_LAST] = chosen
    address.write(_PARAMETER, chosen)
    if len(known) > 1:
        st.selectbox(
            "Campaign",
            list(known),
            key=_CAMPAIGN,
            format_func=lambda key: _label(known[key]),
            on_change=_chosen,
        )
    return known[chosen]


def _chosen() -> None:
    address.write(_PARAMETER, st.session_state[_CAMPAIGN])


def _label(campaign: Campaign) -> str:
    status = "" if campaign.status is CampaignStatus.ACTIVE else f" ({campaign.status.value})"
    return f"{as_option(one_line(campaign.name))}{status}"


@live_fragment(tables=("campaigns",), varies_by=("user", "role"), key="rating_appearing")
def _announce_new(shown: frozenset[str]) -> None:
    """Offer campaigns that have appeared since, without interrupting the person's work.

    A page without a campaign has no work to interrupt, so it shows the first one right away.
    """
    me = tables.my_profile()
    if me is None:
        return
    new = [one for one in visible_campaigns(tables.campaigns().values(), me.role) if one.id not in shown]
    if new and not shown:
        st.rerun()
    if new:
        label = f"New campaign: {as_label(new[0].name)}"
        if st.button(label, key="rating_new_campaign", on_click=_go_to, args=(new[0].id,)):
            st.rerun()


def _go_to(campaign_id: str) -> None:
    address.write(_PARAMETER, campaign_id)

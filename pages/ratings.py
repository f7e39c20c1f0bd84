"""Rating tasks: raters judge pairs of answers with single keys, managers fill the queue and watch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from db.rating_models import Campaign, CampaignStatus, RaterProfile, RatingRole
from live.fragments import live_fragment
from ui import (
    artifacts,
    layout,
    rating_add,
    rating_campaigns,
    rating_desk,
    rating_join,
    rating_people,
    rating_quality,
    rating_queue,
    rating_session,
    session,
)
from ui.account import invite
from ui.first_run import run_whole_app
from ui.sidebar import Place
from ui.text import as_label, one_line

_CAMPAIGN: Final = "rating_campaign"
_SHOWN: Final = "rating_shown"

_VIEWS: Final[Mapping[RatingRole, tuple[str, ...]]] = {
    RatingRole.RATER: ("Rate", "Files"),
    RatingRole.MANAGER: ("Campaigns", "Add tasks", "Queue", "Quality", "Files", "People"),
}


def show() -> None:
    layout.page_head("Ratings", "Two answers, one question: which is better?")
    if session.signed_in() is None:
        invite(Place.RATINGS, "⚖️", "Sign in to rate", "Tasks are for the raters of their tenant only.")
        return
    st.session_state[_SHOWN] = _standing()
    _for_whom()
    # Last of all: it looks whether what has been shown by now is still for the right eyes.
    _watch()


def _for_whom() -> None:
    me = rating_session.my_profile()
    if me is None or rating_session.role() is RatingRole.NONE:
        _outside(me)
        return
    view = _view(me.role)
    if view == "Files":
        artifacts.show(me.tenant_id, manager=me.role is RatingRole.MANAGER)
    elif view == "People":
        rating_people.show(me)
    elif view == "Campaigns":
        rating_campaigns.show(me)
    else:
        _of_a_campaign(view, me)


def _outside(me: RaterProfile | None) -> None:
    if rating_session.role() is not RatingRole.NONE:
        st.caption("Your tasks are being loaded…")
    elif me is not None and not me.active:
        layout.empty("🚪", "You rate no longer", "A manager of your tenant can take you back.")
    else:
        rating_join.show()


@live_fragment(
    tables=("rating_roles", "rater_profiles", "tenants"), varies_by=("user", "role"), key="rating_watch"
)
def _watch() -> None:
    """Show the page anew when the person has joined, become a manager, or left: nobody else's doing does."""
    if st.session_state.get(_SHOWN) != _standing():
        st.rerun()


def _standing() -> tuple[object, ...]:
    """Return what decides which page a person is shown."""
    profile = rating_session.my_profile()
    mine = None if profile is None else (profile.role, profile.active)
    return session.my_id(), rating_session.role(), mine


def _view(role: RatingRole) -> str:
    views = _VIEWS[role]
    chosen = st.segmented_control(
        "View", views, default=views[0], key=f"rating_view_{role.value}", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    return chosen or views[0]


def _of_a_campaign(view: str, me: RaterProfile) -> None:
    campaigns = _campaigns(me)
    if not campaigns:
        hint = (
            "Begin one under Campaigns."
            if me.role is RatingRole.MANAGER
            else "You will be told when there is one."
        )
        layout.empty("🗳️", "There is no campaign yet", hint)
        _appearing(frozenset())
        return
    _appearing(frozenset(campaign.id for campaign in campaigns))
    campaign = _choose(campaigns)
    shown: Mapping[str, Callable[[Campaign, RaterProfile], None]] = {
        "Rate": rating_desk.show,
        "Add tasks": rating_add.show,
        "Queue": rating_queue.show,
        "Quality": rating_quality.show,
    }
    shown[view](campaign, me)


def _campaigns(me: RaterProfile) -> list[Campaign]:
    """Return the campaigns to choose from, those under way and the newest first."""
    seen = [
        campaign
        for campaign in rating_session.campaigns().values()
        if me.role is RatingRole.MANAGER or campaign.status is not CampaignStatus.DRAFT
    ]
    newest = sorted(seen, key=lambda campaign: campaign.created_at, reverse=True)
    return sorted(newest, key=lambda campaign: campaign.status is not CampaignStatus.ACTIVE)


def _choose(campaigns: list[Campaign]) -> Campaign:
    known = {campaign.id: campaign for campaign in campaigns}
    linked = st.query_params.get("campaign")
    if _CAMPAIGN not in st.session_state or st.session_state[_CAMPAIGN] not in known:
        st.session_state[_CAMPAIGN] = linked if linked in known else campaigns[0].id
    chosen = st.session_state[_CAMPAIGN]
    if len(known) > 1:
        chosen = st.selectbox(
            "Campaign", list(known), key=_CAMPAIGN, format_func=lambda key: _label(known[key])
        )
    st.query_params["campaign"] = chosen
    return known[chosen]


def _label(campaign: Campaign) -> str:
    state = "" if campaign.status is CampaignStatus.ACTIVE else f" ({campaign.status.value})"
    return f"{one_line(campaign.name)}{state}"


@live_fragment(tables=("campaigns",), varies_by=("user", "role"), key="rating_appearing")
def _appearing(shown: frozenset[str]) -> None:
    """Offer campaigns that have appeared since; what the person is doing is not taken away from them.

    Where there was none there is nothing to take away: the page goes on by itself.
    """
    me = rating_session.my_profile()
    if me is None:
        return
    new = [campaign for campaign in _campaigns(me) if campaign.id not in shown]
    if new and not shown:
        st.rerun()
    if new:
        label = f"New campaign: {as_label(new[0].name)}"
        if st.button(label, key="rating_new_campaign", on_click=_go_to, args=(new[0].id,)):
            st.rerun()


def _go_to(campaign_id: str) -> None:
    st.session_state[_CAMPAIGN] = campaign_id


if __name__ == "__main__":
    run_whole_app()

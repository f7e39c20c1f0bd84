"""Ratings: raters judge pairs of answers with single keys, managers fill the queue and watch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from db.ratings.models import Campaign, RaterProfile, RatingRole
from livetables.fragments import live_fragment
from ui.base import layout, session
from ui.ratings import (
    add_tasks,
    artifacts,
    campaigns,
    desk,
    join,
    people,
    quality,
    queue,
    tables,
)
from ui.ratings.campaign_choice import choose_campaign
from ui.ratings.tables import Membership
from ui.shell.account import invite
from ui.shell.run_app import run_whole_app

_SHOWN_FOR: Final = "rating_shown"

_VIEWS: Final[Mapping[RatingRole, tuple[str, ...]]] = {
    RatingRole.RATER: ("Rate", "Files"),
    RatingRole.MANAGER: ("Campaigns", "Add tasks", "Queue", "Quality", "Files", "People"),
}
_CAMPAIGN_VIEWS: Final[Mapping[str, Callable[[Campaign, RaterProfile], None]]] = {
    "Rate": desk.show,
    "Add tasks": add_tasks.show,
    "Queue": queue.show,
    "Quality": quality.show,
}


def show() -> None:
    layout.page_head("Ratings", "Two answers, one question: which is better?")
    if session.signed_in() is None:
        invite("⚖️", "Sign in to rate", f"Tasks are for the raters of their tenant only. {join.TENANT_MEANS}")
        return
    st.session_state[_SHOWN_FOR] = _membership()
    _content()
    # Last, so that a change of membership while the content is rendered is seen as well.
    _watch_membership()


def _content() -> None:
    me = tables.my_profile()
    member = tables.membership()
    if me is None or member is not Membership.MEMBER:
        join.show_not_a_member(member)
        return
    view = _choose_view(me.role)
    if view == "Files":
        artifacts.show(me.tenant_id, manager=me.role is RatingRole.MANAGER)
    elif view == "People":
        people.show(me)
    elif view == "Campaigns":
        campaigns.show(me)
    else:
        _campaign_view(view, me)


def _choose_view(role: RatingRole) -> str:
    views = _VIEWS[role]
    chosen = st.segmented_control(
        "View", views, default=views[0], key=f"rating_view_{role.value}", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    return chosen or views[0]


def _campaign_view(view: str, me: RaterProfile) -> None:
    campaign = choose_campaign(me)
    if campaign is not None:
        _CAMPAIGN_VIEWS[view](campaign, me)
    elif me.role is RatingRole.MANAGER:
        layout.empty("🗳️", "There is no campaign yet", "Create one under Campaigns.")
    else:
        layout.empty("🗳️", "There is no campaign yet", "The first one appears here when it opens.")


@live_fragment(
    tables=("rating_roles", "rater_profiles", "tenants"), varies_by=("user", "role"), key="rating_watch"
)
def _watch_membership() -> None:
    """Rerun the page when the person has joined, changed roles or left."""
    if st.session_state.get(_SHOWN_FOR) != _membership():
        st.rerun()


def _membership() -> tuple[object, ...]:
    """Return everything that decides which content a person sees."""
    profile = tables.my_profile()
    mine = None if profile is None else (profile.role, profile.active)
    return session.my_id(), tables.role(), mine


if __name__ == "__main__":
    run_whole_app()

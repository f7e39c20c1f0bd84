"""Who rates how much and how well, and which candidates raters prefer: live, for the members of a tenant."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

import pandas as pd
import streamlit as st

from db import rating_judgments as calls
from db.rating_models import Campaign, CampaignStatus, RatingRole
from live.fragments import live_fragment
from ui import layout, rating_session, session, writing
from ui.account import invite
from ui.first_run import run_whole_app
from ui.leaderboard import labels, raters_html, standings
from ui.leaderboard_candidates import candidates_html, chart, ranking_of
from ui.sidebar import Place, page
from ui.text import as_label, one_line, plural

_SETTLED: Final = "leaderboard_settled"
_SETTLE_EVERY: Final = 60.0
"""Seconds between two settlings of a campaign by one session."""
_CHOSEN: Final = "leaderboard_campaign"


def show() -> None:
    layout.page_head("Leaderboard", "Who rates, how well they agree, and which candidate is preferred.")
    if session.signed_in() is None:
        invite(Place.LEADERBOARD, "🏆", "Sign in to see the leaderboard", "It is for the raters of a tenant.")
        return
    _raters()
    _candidates()


@live_fragment(
    tables=("rater_profiles", "rating_roles"), varies_by=("user", "role"), key="leaderboard_raters"
)
def _raters() -> None:
    if rating_session.my_profile() is None:
        layout.empty("🏆", "You are not a rater yet", "Join a tenant, and its leaderboard is here.")
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.page_link(page(Place.RATINGS), label="Go to Ratings", icon=":material/balance:")
        return
    ranked = standings(rating_session.profiles().values())
    if not any(one.profile.total_judgments for one in ranked):
        layout.empty("🏆", "Nobody has judged anything yet", "The first judgment leads the board.")
        return
    st.subheader("Raters")
    st.html(raters_html(ranked, session.my_id(), datetime.now(UTC).date()))
    frame = pd.DataFrame(
        {
            "Rater": labels(ranked),
            "Judgments": [one.profile.total_judgments for one in ranked],
        }
    )
    st.bar_chart(frame, x="Rater", y="Judgments", horizontal=True, sort=False, x_label="", y_label="")


# ---------------------------------------------------------------- candidates


@live_fragment(
    tables=("campaigns", "candidate_tallies", "rating_roles"),
    varies_by=("user", "role", _CHOSEN),
    key="leaderboard_candidates",
)
def _candidates() -> None:
    if rating_session.my_profile() is None:
        return
    campaigns = _ranked_campaigns()
    if not rating_session.campaigns():
        return
    st.subheader("Candidates")
    if not campaigns:
        st.caption(_why_nothing())
        return
    campaign = _choose(campaigns)
    _settle(campaign)
    ranked = ranking_of(rating_session.tallies(), campaign.id)
    st.html(candidates_html(ranked))
    data, spec = chart(ranked)
    st.vega_lite_chart(pd.DataFrame(data), spec, height=60 + 36 * len(data))
    st.caption(_about(ranked.regularized, sum(one.games for one in ranked.candidates) // 2))


def _why_nothing() -> str:
    if rating_session.role() is RatingRole.MANAGER:
        return "The ranking begins with the first judgment that nobody can take back any more."
    return "The ranking is shown when a campaign is over: while it runs, names could give something away."


def _about(regularized: bool, games: int) -> str:
    words = [
        f"Bradley-Terry model of {plural(games, 'comparison')} by final judgments; ties count half.",
        "Candidates whose intervals overlap share a rank (=).",
    ]
    if regularized:
        words.append("Somebody won everything, or some never met: a prior of half a win keeps it finite.")
    return " ".join(words)


def _ranked_campaigns() -> list[Campaign]:
    counted = {tally.campaign_id for tally in rating_session.tallies().values()}
    campaigns = [one for one in rating_session.campaigns().values() if one.id in counted]
    return sorted(campaigns, key=lambda one: one.created_at, reverse=True)


def _choose(campaigns: list[Campaign]) -> Campaign:
    known = {campaign.id: campaign for campaign in campaigns}
    if len(known) == 1:
        st.caption(as_label(campaigns[0].name))
        return campaigns[0]
    chosen = st.selectbox(
        "Campaign",
        list(known),
        key=_CHOSEN,
        format_func=lambda key: one_line(known[key].name) if key in known else "",
    )
    return known.get(chosen, campaigns[0])


def _settle(campaign: Campaign) -> None:
    """Have counted what nobody can undo any more; how that ends, the stream tells."""
    settled = st.session_state.setdefault(_SETTLED, {})
    now = time.monotonic()
    if campaign.status is CampaignStatus.COMPLETED or now - settled.get(campaign.id, 0.0) < _SETTLE_EVERY:
        return
    settled[campaign.id] = now
    writing.ask(lambda me: calls.settle(me, campaign.id), told=False, apart=True)


if __name__ == "__main__":
    run_whole_app()

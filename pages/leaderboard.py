"""Who rates how much and how well, and which candidates raters prefer: live, for the members of a tenant."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from live.fragments import live_fragment
from ui import layout, rating_session, session
from ui.first_run import run_whole_app
from ui.leaderboard import raters_html, standings
from ui.sidebar import Place, page


def show() -> None:
    layout.page_head("Leaderboard", "Who rates, how well they agree, and which candidate is preferred.")
    if session.signed_in() is None:
        layout.empty("🏆", "Sign in to see the leaderboard", "It is for the members of a tenant.")
        return
    _raters()


@live_fragment(
    tables=("rater_profiles", "rating_roles"), varies_by=("user", "role"), key="leaderboard_raters"
)
def _raters() -> None:
    if rating_session.my_profile() is None:
        layout.empty("🏆", "You rate for nobody yet", "Join a tenant, and its leaderboard is here.")
        st.page_link(page(Place.RATINGS), label="Go to Ratings", icon=":material/balance:")
        return
    ranked = standings(rating_session.profiles().values())
    if not any(one.profile.total_judgments for one in ranked):
        layout.empty("🏆", "Nobody has judged anything yet", "The first judgment leads the board.")
        return
    st.html("<h2>Raters</h2>")
    st.html(raters_html(ranked, session.my_id(), datetime.now(UTC).date()))
    frame = pd.DataFrame(
        {
            "Rater": [one.profile.name for one in ranked],
            "Judgments": [one.profile.total_judgments for one in ranked],
        }
    )
    st.bar_chart(frame, x="Rater", y="Judgments", horizontal=True, sort=False)


if __name__ == "__main__":
    run_whole_app()

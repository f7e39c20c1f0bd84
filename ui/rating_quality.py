"""How well raters agree in a campaign, and its judgments to take away, for managers."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from db import artifacts
from db import rating_judgments as calls
from db.artifacts import Bucket
from db.auth import SignedIn
from db.rating_models import Campaign, RaterProfile
from live.fragments import live_fragment
from ui import rating_export, rating_session, session, writing
from ui.conflicts import Saving
from ui.pending import WRITES, saving_html
from ui.rating_agreement import agreement_html, agreement_of, pairs_html
from ui.rating_desk import show_progress
from ui.text import as_label, plural

_PUBLISHED: Final = "rating_published"


_LOADED: Final = 1000
"""Judgments of the tenant that are loaded, the newest ones."""


def show(campaign: Campaign, me: RaterProfile) -> None:
    """Show the coefficients and the export."""
    show_progress(campaign.id)
    _agreement(campaign.id)
    _export(campaign.id, campaign.name, me.tenant_id)


@live_fragment(tables=("judgments",), varies_by=("user", "role"), key="rating_agreement")
def _agreement(campaign_id: str) -> None:
    judgments = rating_session.judgments()
    found, pairs = agreement_of(judgments, campaign_id)
    st.subheader("Agreement")
    if not found.votes:
        st.caption("It begins with the first judgment that nobody can take back any more.")
        return
    st.html(agreement_html(found))
    counted = f"{plural(found.votes, 'final judgment')} by {plural(found.raters, 'rater')}."
    cut = " Of the newest 1,000 judgments; the export has all of them." if len(judgments) >= _LOADED else ""
    st.caption(f"{counted}{cut} Above 0.8 is usually relied on, below 0.67 is not.")
    if pairs:
        with st.expander("Pair by pair", icon=":material/group:"):
            st.html(pairs_html(pairs))


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_export")
def _export(campaign_id: str, name: str, tenant: str) -> None:
    me = session.signed_in()
    if me is None:
        return
    st.subheader("Export")
    st.caption(
        "Every judgment that counts, with the rater's id, the candidates' names and what was on the left."
    )
    # The files are made when they are asked for, past the session: they need what they hold now.
    file = f"judgments-{campaign_id[:8]}"
    with st.container(horizontal=True):
        st.download_button(
            "Export CSV", lambda: rating_export.as_csv(_rows(me, campaign_id)), f"{file}.csv",
            "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Export JSON", lambda: rating_export.as_json(_rows(me, campaign_id)), f"{file}.json",
            "application/json", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        with st.popover("Publish", icon=":material/public:"):
            st.markdown(
                f"Puts the judgments of **{as_label(name)}** as CSV into the bucket Exports. "
                "Whoever gets to know the address may read them."
            )
            publishing = Saving(f"{_PUBLISHED}_{campaign_id}")
            st.button(
                "Yes, publish", type="primary", key="rating_publish", disabled=publishing.busy,
                on_click=_publish, args=(publishing, campaign_id, tenant),
            )  # fmt: skip
        if publishing.busy:
            st.html(saving_html(True, "Publishing…"))
    publishing.show()
    if isinstance(publishing.result, str):
        st.code(publishing.result, language=None, wrap_lines=True)


def _rows(me: SignedIn, campaign_id: str) -> list[dict[str, object]]:
    return rating_export.rows(calls.exported(me, campaign_id))


def _publish(publishing: Saving, campaign_id: str, tenant: str) -> None:
    stamp = datetime.now(UTC)

    def publish(me: SignedIn) -> str | None:
        content = rating_export.as_csv(_rows(me, campaign_id)).encode()
        place = artifacts.place_for(
            Bucket.EXPORTS, tenant, campaign_id[:8], f"judgments-{stamp:%Y%m%d-%H%M%S}.csv"
        )
        artifacts.upload(me, place, io.BytesIO(content))
        return artifacts.public_url(
            me, artifacts.Artifact(Bucket.EXPORTS, place.path, len(content), "text/csv", stamp)
        )

    # All judgments are read for it, which may take long.
    if not publishing.busy:
        publishing.begin(writing.ask(publish, words="The judgments are published.", apart=True))

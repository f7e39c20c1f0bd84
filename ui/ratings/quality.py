"""How well raters agree in a campaign, and its judgments to export, for managers."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from db.auth.accounts import SignedIn
from db.ratings import artifacts, judgments
from db.ratings.artifacts import Bucket
from db.ratings.models import Campaign, RaterProfile
from db.ratings.task_models import Judgment
from livetables.fragments import live_fragment
from livetables.tables.snapshot import Snapshot
from ui.base import html, session
from ui.base.feedback import saving_html
from ui.base.text import as_label, plural
from ui.base.write_queue import WRITES, Mode
from ui.ratings import export, tables
from ui.ratings.agreement import agreement_html, agreement_of, pairs_html
from ui.ratings.desk import show_progress
from ui.writes.saving import Saving
from ui.writes.submit import submit

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
    loaded = tables.judgments()
    found, pairs = agreement_of(loaded, campaign_id)
    st.header("Agreement")
    if not found.votes:
        st.caption("It begins with the first final judgment: one that its rater can no longer undo.")
        return
    html.show(agreement_html(found))
    counted = f"{plural(found.votes, 'final judgment')} by {plural(found.raters, 'rater')}."
    partial = f" Of the newest {_LOADED:,} judgments; the export has all of them."
    usual = "Values above 0.8 are usually considered reliable, those below 0.67 are not."
    st.caption(f"{counted}{partial if len(loaded) >= _LOADED else ''} {usual}")
    if pairs:
        with st.expander("Pair by pair", icon=":material/group:"):
            html.show(pairs_html(pairs))


@live_fragment(tables=("judgments", WRITES), varies_by=("user",), key="rating_export")
def _export(campaign_id: str, name: str, tenant: str) -> None:
    me = session.signed_in()
    if me is None:
        return
    st.header("Export")
    if not may_have_judgments(tables.judgments(), campaign_id):
        st.caption("It begins with the first judgment.")
        return
    st.caption(
        "Every judgment that counts, with the rater's id, the candidates' names, and which was on the left."
    )
    publishing = Saving(f"{_PUBLISHED}_{campaign_id}")
    with st.container(horizontal=True):
        _downloads(me, campaign_id)
        with st.popover("Publish", icon=":material/public:"):
            st.markdown(
                f"Stores the judgments of **{as_label(name)}** as CSV in the bucket Exports. "
                "Anybody who knows the address can read them."
            )
            st.button(
                "Yes, publish", type="primary", key="rating_publish", disabled=publishing.busy,
                on_click=_publish, args=(publishing, campaign_id, tenant),
            )  # fmt: skip
        if publishing.busy:
            html.show(saving_html(True, "Publishing…"))
    publishing.show()
    if isinstance(publishing.result, str):
        st.code(publishing.result, language=None, wrap_lines=True)


def may_have_judgments(loaded: Snapshot[Judgment], campaign_id: str) -> bool:
    """Tell whether a campaign may have judgments that count: those that are not loaded are unknown."""
    known = loaded.derived(
        "campaigns judged",
        lambda rows: frozenset(one.campaign_id for one in rows.values() if one.counts),
    )
    return campaign_id in known or len(loaded) >= _LOADED


def _downloads(me: SignedIn, campaign_id: str) -> None:
    # Streamlit makes the files on demand and outside the session, so the functions hold all that they need.
    file = f"judgments-{campaign_id[:8]}"
    st.download_button(
        "Export CSV", lambda: export.as_csv(_rows(me, campaign_id)), f"{file}.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    st.download_button(
        "Export JSON", lambda: export.as_json(_rows(me, campaign_id)), f"{file}.json", "application/json",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _rows(me: SignedIn, campaign_id: str) -> list[dict[str, object]]:
    return export.rows(judgments.exported(me, campaign_id))


def _publish(publishing: Saving, campaign_id: str, tenant: str) -> None:
    if publishing.busy:
        return
    stamp = datetime.now(UTC)

    def publish(me: SignedIn) -> str | None:
        content = export.as_csv(_rows(me, campaign_id)).encode()
        name = f"judgments-{stamp:%Y%m%d-%H%M%S}.csv"
        place = artifacts.place_for(Bucket.EXPORTS, tenant, campaign_id[:8], name)
        artifacts.upload(me, place, io.BytesIO(content))
        file = artifacts.Artifact(Bucket.EXPORTS, place.path, place.name, len(content), "text/csv", stamp)
        return artifacts.public_url(me, file)

    # Concurrent, because it reads all judgments, which may take long.
    write = submit(publish, success_message="The judgments are published.", mode=Mode.CONCURRENT)
    publishing.begin(write)

"""Campaigns, for managers: begin one, see how far each is, open, pause and end them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from db import rating_campaigns as calls
from db.auth import SignedIn
from db.models import Record
from db.rating_campaigns import CampaignDraft
from db.rating_models import Campaign, CampaignStatus, RaterProfile
from live.fragments import live_fragment
from ui import layout, rating_session, session, writing
from ui.conflicts import Saving
from ui.pending import WRITES, Expected, saving_html
from ui.rating_desk_html import progress_html, progress_of
from ui.text import as_label, plural

TASK_TYPES: Final = (
    "tool_call_qa", "text_to_sql", "json_extraction", "summary", "classification", "product_copy", "chat",
)  # fmt: skip
"""Offered; a campaign may have others."""

_STATUS: Final[Mapping[CampaignStatus, str]] = {
    CampaignStatus.DRAFT: "Draft: not seen by raters yet",
    CampaignStatus.ACTIVE: "Open for rating",
    CampaignStatus.PAUSED: "Paused",
    CampaignStatus.COMPLETED: "Over: the ranking is public to the tenant",
}
_FORM: Final = "rating_campaign_form"
_SAVING: Final = Saving(_FORM)


def show(me: RaterProfile) -> None:
    """Show the form and the campaigns."""
    _begin(me.tenant_id)
    _all()


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_begin")
def _begin(tenant_id: str) -> None:
    if _SAVING.finished():
        st.session_state[_FORM] = int(st.session_state.get(_FORM, 0)) + 1
    # A new key empties the form once the campaign is there, and only then.
    number = int(st.session_state.get(_FORM, 0))
    with st.expander("New campaign", icon=":material/add:"), st.form(f"{_FORM}_{number}", border=False):
        name = st.text_input("Name", max_chars=120, placeholder="Autumn assistants")
        guidelines = st.text_area("Guidelines", max_chars=20_000, placeholder="What makes an answer better?")
        types = st.multiselect(
            "Task types", TASK_TYPES, accept_new_options=True, help="What it takes; none means any.",
            placeholder="Any",
        )  # fmt: skip
        first, second, third = st.columns(3)
        judgments = first.number_input("Judgments a task", 1, 100, 3)
        minutes = second.number_input("Minutes for a task", 1, 1440, 10)
        gold = third.number_input(
            "Gold tasks, in percent", 0, 100, 10, help="How often a known answer is asked for."
        )
        brand = st.text_input(
            "Brand", max_chars=64, help="Then raters who are here for one brand see it, if it is theirs."
        )
        opened = st.checkbox("Open it at once", value=True)
        begun = _SAVING.submit("Begin")
    if not begun:
        _SAVING.show()
        return
    draft = CampaignDraft(
        name.strip(), brand.strip() or None, guidelines, tuple(types), int(judgments), int(minutes) * 60,
        gold_share=gold / 100, status=CampaignStatus.ACTIVE if opened else CampaignStatus.DRAFT,
    )  # fmt: skip
    _make(tenant_id, draft, number)


def _make(tenant_id: str, draft: CampaignDraft, number: int) -> None:
    if not draft.name:
        _SAVING.forget()
        st.error("A campaign has a name.")
        return
    # The same for a second try, so that a lost answer makes no second campaign.
    key = str(st.session_state.setdefault(f"{_FORM}_id_{number}", str(uuid.uuid4())))
    create = writing.putting("campaigns", lambda me: calls.create(me, key, tenant_id, draft))
    foretold = new_campaign(key, tenant_id, session.my_id() or "", draft)
    expected = Expected("campaigns", (key,), foretold, new=True)
    words = f"{draft.name} is there. Add tasks to it."
    _SAVING.begin(writing.ask(create, expected, words=words, told=False))
    st.rerun(scope="fragment")


def new_campaign(campaign_id: str, tenant_id: str, created_by: str, draft: CampaignDraft) -> Campaign:
    """Return a campaign as the database will make it."""
    now = datetime.now(UTC).isoformat()
    known = {"id": campaign_id, "tenant_id": tenant_id, "created_by": created_by, "version": 0}
    return Campaign.from_record({**draft.values(), **known, "created_at": now, "updated_at": now})


@live_fragment(
    tables=("campaigns", "rating_tasks", WRITES), varies_by=("user", "role"), key="rating_campaign_list"
)
def _all() -> None:
    campaigns = sorted(rating_session.campaigns().values(), key=lambda one: one.created_at, reverse=True)
    if not campaigns:
        layout.empty(
            "🗳️", "No campaign yet", "A campaign is a set of tasks with the same rules. Begin one above."
        )
    for campaign in campaigns[:30]:
        _one(campaign)


def _one(campaign: Campaign) -> None:
    progress = progress_of(rating_session.tasks().values(), campaign.id, datetime.now(UTC))
    with st.container(border=True, key=f"campaign_{campaign.id}"):
        st.html(progress_html(campaign, progress, None))
        st.caption(
            f"{_STATUS[campaign.status]} · {plural(campaign.judgments_per_task, 'judgment')} a task · "
            f"{', '.join(map(as_label, campaign.task_types)) or 'all types'}"
        )
        with st.container(horizontal=True):
            pending = campaign.id in session.pending("campaigns")
            _changes(campaign, disabled=pending)
            if pending:
                st.html(saving_html(True))


def _changes(campaign: Campaign, *, disabled: bool) -> None:
    key = campaign.id
    if campaign.status in (CampaignStatus.DRAFT, CampaignStatus.PAUSED):
        st.button(
            "Open for rating", key=f"open_{key}", icon=":material/play_arrow:", on_click=_set,
            args=(campaign, CampaignStatus.ACTIVE), disabled=disabled,
        )  # fmt: skip
    if campaign.status is CampaignStatus.ACTIVE:
        st.button(
            "Pause", key=f"pause_{key}", icon=":material/pause:", on_click=_set,
            args=(campaign, CampaignStatus.PAUSED), disabled=disabled,
        )  # fmt: skip
    if campaign.status is CampaignStatus.COMPLETED:
        st.button(
            "Open again", key=f"again_{key}", icon=":material/replay:", on_click=_set,
            args=(campaign, CampaignStatus.ACTIVE), disabled=disabled,
        )  # fmt: skip
    elif campaign.status is not CampaignStatus.DRAFT:
        with st.popover("End", icon=":material/flag:"):
            st.markdown("Every judgment is final then, and all members see how the candidates did.")
            st.button(
                "Yes, end it", key=f"end_{key}", type="primary", on_click=_set,
                args=(campaign, CampaignStatus.COMPLETED), disabled=disabled,
            )  # fmt: skip


def _set(campaign: Campaign, status: CampaignStatus) -> None:
    def do(me: SignedIn) -> Record:
        return calls.change(me, campaign.id, {"status": status.value}, campaign.version)

    expected = Expected("campaigns", (campaign.id,), replace(campaign, status=status))
    writing.ask(writing.putting("campaigns", do), expected)

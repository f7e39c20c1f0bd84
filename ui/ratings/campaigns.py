"""Campaigns, for managers: create them, see their progress, open, pause and end them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.ratings import campaigns
from db.ratings.campaigns import CampaignDraft
from db.ratings.models import Campaign, CampaignStatus, RaterProfile
from livetables.fragments import live_fragment
from ui.base import drafts, html, layout, session
from ui.base.drafts import Draft
from ui.base.feedback import saving_html
from ui.base.text import as_label, plural
from ui.base.write_queue import WRITES, Expected
from ui.ratings import tables
from ui.ratings.desk_html import progress_html, progress_of
from ui.ratings.task_types import TASK_TYPES, choice, words_for
from ui.writes.saving import Saving
from ui.writes.submit import submit_row

_STATUS: Final[Mapping[CampaignStatus, str]] = {
    CampaignStatus.DRAFT: "Draft: raters do not see it yet",
    CampaignStatus.ACTIVE: "Open for rating",
    CampaignStatus.PAUSED: "Paused",
    CampaignStatus.COMPLETED: "Over: all members of the tenant see the ranking",
}
_FORM: Final = "rating_campaign_form"
_SAVING: Final = Saving(_FORM)
_SHOWN: Final = 30


def show(me: RaterProfile) -> None:
    """Show the form and the campaigns."""
    _new_campaign(me.tenant_id)
    _all()


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_begin")
def _new_campaign(tenant_id: str) -> None:
    place = drafts.new_campaign(tenant_id)
    if _SAVING.finished():
        st.session_state[_FORM] = int(st.session_state.get(_FORM, 0)) + 1
        drafts.forget(place)
    # A new key empties the form, which may happen only after the campaign is saved.
    number = int(st.session_state.get(_FORM, 0))
    kept = drafts.shown(place, f"{_FORM}_{number}")
    drafts.keep(place, kept.key)
    with st.expander("New campaign", icon=":material/add:"), st.form(f"{_FORM}_{number}", border=False):
        draft = _draft(kept)
        submitted = _SAVING.submit("Create")
    if submitted:
        _create(tenant_id, draft, number)
    else:
        _SAVING.show()


def _draft(kept: Draft) -> CampaignDraft:
    """Show the fields of the form, and return what is in them."""
    key = kept.key
    name = st.text_input("Name", max_chars=120, placeholder="Autumn assistants", key=f"{key}_name")
    guidelines = st.text_area(
        "Guidelines", max_chars=20_000, placeholder="What makes an answer better?", key=f"{key}_guidelines"
    )
    types = _task_types(kept)
    first, second, third = st.columns(3)
    judgments = first.number_input("Judgments a task", 1, 100, 3, key=f"{key}_judgments")
    minutes = second.number_input("Minutes for a task", 1, 1440, 10, key=f"{key}_minutes")
    gold = third.number_input(
        "Gold tasks, in percent",
        0,
        100,
        10,
        key=f"{key}_gold",
        help="How many of a rater's tasks have a known answer.",
    )
    brand = st.text_input(
        "Brand",
        max_chars=64,
        key=f"{key}_brand",
        help="Raters who were invited for one brand see only campaigns of that brand.",
    )
    is_open = st.checkbox("Open it at once", value=True)
    return CampaignDraft(
        name.strip(), brand.strip() or None, guidelines, tuple(types), int(judgments), int(minutes) * 60,
        gold_share=gold / 100, status=CampaignStatus.ACTIVE if is_open else CampaignStatus.DRAFT,
    )  # fmt: skip


def _task_types(kept: Draft) -> list[str]:
    by_label = {choice(one): one for one in TASK_TYPES}
    chosen = [by_label.get(label, label) for label in kept.several("_types") or ()]
    return st.multiselect(
        "Task types", list(dict.fromkeys((*TASK_TYPES, *chosen))), chosen, accept_new_options=True,
        placeholder="Any", format_func=choice, key=f"{kept.key}_types",
        help="What its tasks are about. Leave it empty for any. Imports use the name in brackets.",
    )  # fmt: skip


def _create(tenant_id: str, draft: CampaignDraft, number: int) -> None:
    if not draft.name:
        _SAVING.forget()
        st.error("Enter a name for the campaign.")
        return
    # A second try uses the same id, so that a lost answer creates no second campaign.
    key = str(st.session_state.setdefault(f"{_FORM}_id_{number}", str(uuid.uuid4())))
    expected = new_campaign(key, tenant_id, session.my_id() or "", draft)
    write = submit_row(
        "campaigns",
        lambda me: campaigns.create(me, key, tenant_id, draft),
        Expected("campaigns", (key,), expected, new=True),
        success_message=f"{draft.name} is created. Add tasks to it.",
        notify=False,
    )
    _SAVING.begin(write)
    st.rerun(scope="fragment")


def new_campaign(campaign_id: str, tenant_id: str, created_by: str, draft: CampaignDraft) -> Campaign:
    """Return a campaign as the database will create it."""
    now = datetime.now(UTC).isoformat()
    known = {"id": campaign_id, "tenant_id": tenant_id, "created_by": created_by, "version": 0}
    return Campaign.from_record({**draft.values(), **known, "created_at": now, "updated_at": now})


@live_fragment(
    tables=("campaigns", "rating_tasks", WRITES), varies_by=("user", "role"), key="rating_campaign_list"
)
def _all() -> None:
    newest = sorted(tables.campaigns().values(), key=lambda one: one.created_at, reverse=True)
    if not newest:
        layout.empty(
            "🗳️", "No campaign yet", "A campaign is a set of tasks with the same rules. Create one above."
        )
    for campaign in newest[:_SHOWN]:
        _one(campaign)


def _one(campaign: Campaign) -> None:
    progress = progress_of(tables.tasks().values(), campaign.id, datetime.now(UTC))
    with st.container(border=True, key=f"campaign_{campaign.id}"):
        html.show(progress_html(campaign, progress, None))
        st.caption(
            f"{_STATUS[campaign.status]} · {plural(campaign.judgments_per_task, 'judgment')} a task · "
            f"{', '.join(as_label(words_for(one)) for one in campaign.task_types) or 'all types of task'}"
        )
        with st.container(horizontal=True):
            pending = campaign.id in session.pending("campaigns")
            _status_buttons(campaign, disabled=pending)
            if pending:
                html.show(saving_html(True))


def _status_buttons(campaign: Campaign, *, disabled: bool) -> None:
    key = campaign.id
    if campaign.status in (CampaignStatus.DRAFT, CampaignStatus.PAUSED):
        st.button(
            "Open for rating", key=f"open_{key}", icon=":material/play_arrow:", on_click=_set_status,
            args=(campaign, CampaignStatus.ACTIVE), disabled=disabled,
        )  # fmt: skip
    if campaign.status is CampaignStatus.ACTIVE:
        st.button(
            "Pause", key=f"pause_{key}", icon=":material/pause:", on_click=_set_status,
            args=(campaign, CampaignStatus.PAUSED), disabled=disabled,
        )  # fmt: skip
    if campaign.status is CampaignStatus.COMPLETED:
        st.button(
            "Open again", key=f"again_{key}", icon=":material/replay:", on_click=_set_status,
            args=(campaign, CampaignStatus.ACTIVE), disabled=disabled,
        )  # fmt: skip
    elif campaign.status is not CampaignStatus.DRAFT:
        with st.popover("End", icon=":material/flag:"):
            st.markdown("All judgments become final, and all members of the tenant see the ranking.")
            st.button(
                "Yes, end it", key=f"end_{key}", type="primary", on_click=_set_status,
                args=(campaign, CampaignStatus.COMPLETED), disabled=disabled,
            )  # fmt: skip


def _set_status(campaign: Campaign, status: CampaignStatus) -> None:
    def change(me: SignedIn) -> Record:
        return campaigns.change(me, campaign.id, {"status": status.value}, campaign.version)

    submit_row("campaigns", change, Expected("campaigns", (campaign.id,), replace(campaign, status=status)))

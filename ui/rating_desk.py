"""The rating desk: one task at a time, judged with single keys, blind until the vote."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from db.rating_models import Campaign, CampaignStatus, RaterProfile
from db.rating_task_models import AutoCheckStatus, Claim, TaskStatus, Verdict
from live.fragments import live_fragment
from ui import layout, rating_session, session
from ui.pending import WRITES, saving_html
from ui.rating_acts import (
    STATE,
    Asked,
    Desk,
    claim_next,
    comment_key,
    desk_of,
    go_on,
    look_for_task,
    more_time,
    open_places,
    settle,
    skip,
    start,
    stop,
    typed,
    undo,
    vote,
    who,
)
from ui.rating_checks import CHECKER
from ui.rating_desk_html import last_html, progress_html, progress_of, told_html
from ui.rating_pair import Pair, pair_html
from ui.rating_sides import SHOWN, swapped
from ui.text import as_html, as_label

_KEYS: Final = {Verdict.A: "A", Verdict.B: "B", Verdict.TIE: "T", Verdict.BOTH_BAD: "X"}
_LOOK_EVERY: Final = 15
"""Seconds between looks for places whose lease has run out, while there is nothing to rate."""


def show(campaign: Campaign, me: RaterProfile) -> None:
    """Show how far the campaign is, and the desk."""
    show_progress(campaign.id)
    if campaign.guidelines:
        with st.expander("Guidelines", icon=":material/menu_book:"):
            st.html(f'<div class="tv-said">{as_html(campaign.guidelines)}</div>')
    _work(campaign.id, me.rater_id)


@live_fragment(
    tables=("campaigns", "rating_tasks", "rater_profiles"), varies_by=("user",), key="rating_progress"
)
def show_progress(campaign_id: str) -> None:
    """Show how far a campaign is."""
    campaign = rating_session.campaigns().get((campaign_id,))
    if campaign is None:
        return
    progress = progress_of(rating_session.tasks().values(), campaign_id, datetime.now(UTC))
    st.html(progress_html(campaign, progress, rating_session.my_profile()))


@live_fragment(tables=("campaigns", "rating_tasks", WRITES), varies_by=("user", STATE), key="rating_work")
def _work(campaign_id: str, rater_id: str) -> None:
    desk = desk_of(campaign_id)
    settle(desk)
    campaign = rating_session.campaigns().get((campaign_id,))
    if campaign is None or campaign.status is not CampaignStatus.ACTIVE:
        _closed(campaign)
        return
    if desk.working and desk.claim is None:
        look_for_task(desk)
    if desk.error:
        st.warning(as_label(desk.error), icon=":material/error:")
    if desk.claim is not None:
        _task(desk, desk.claim, campaign, rater_id)
    else:
        _without_task(desk)
        _last(desk)
    if desk.told:
        st.html(told_html(desk.told))


def _closed(campaign: Campaign | None) -> None:
    if campaign is None:
        layout.empty("🍂", "This campaign is not there any more", "Choose another one.")
    elif campaign.status is CampaignStatus.COMPLETED:
        layout.empty("🏁", "This campaign is over", "Thank you. The leaderboard shows how it came out.")
    else:
        layout.empty("⏸️", "This campaign pauses", "Rating goes on when its manager opens it again.")


# ---------------------------------------------------------------- a task


def _task(desk: Desk, claim: Claim, campaign: Campaign, rater_id: str) -> None:
    task = rating_session.tasks().get((claim.task.id,)) or claim.task
    if task.status is TaskStatus.WITHDRAWN:
        st.info("This task was withdrawn. What you wrote is kept.", icon=":material/info:")
        st.button("Next task", key="rating_next", shortcut="N", type="primary", on_click=go_on)
        return
    if task.auto_check_status is AutoCheckStatus.NONE and (me := session.signed_in()) is not None:
        CHECKER.ask(me, [task.id])
    content = claim.content
    pair = Pair(content.prompt, content.candidate_a, content.candidate_b, task.auto_check)
    left = max(0.0, desk.ends_at - time.monotonic())
    minutes, seconds = divmod(math.ceil(left), 60)
    st.html(f'<p class="tv-clock" role="timer">{minutes}:{seconds:02} left</p>')
    st.html(pair_html(pair, swapped=swapped(task.id, rater_id)))
    _buttons(claim.task.id, rater_id, desk.asked)
    _last(desk)
    _comment(desk)
    _component()(key="rating_desk_keys", data={"left": left * 1000, "all": campaign.lease_seconds * 1000})


def _buttons(task_id: str, rater_id: str, asked: Asked | None) -> None:
    busy = asked is not None
    with st.container(key="rating_buttons", horizontal=True):
        for verdict, key in _KEYS.items():
            st.button(
                SHOWN[verdict], key=f"rating_{verdict.value}", shortcut=key, disabled=busy,
                type="primary" if verdict in (Verdict.A, Verdict.B) else "secondary",
                on_click=vote, args=(task_id, rater_id, verdict),
            )  # fmt: skip
        st.button(
            "Skip", key="rating_skip", shortcut="S", type="tertiary", disabled=busy, on_click=skip,
            args=(task_id, rater_id),
        )  # fmt: skip
        st.button(
            "More time", key="rating_more", shortcut="M", type="tertiary", disabled=busy, on_click=more_time
        )
        st.button("Stop", key="rating_stop", shortcut="Q", type="tertiary", disabled=busy, on_click=stop)
        if asked is not None:
            st.html(saving_html(True, asked.words))


def _comment(desk: Desk) -> None:
    key = comment_key(desk)
    if key not in st.session_state:
        desk.draft = desk.comment
    with st.container(key="rating_comment_box"):
        st.text_area(
            "Comment", desk.draft, key=key, max_chars=2000, height=80, on_change=typed, args=(desk,),
            placeholder="Why? Optional. K goes here, Escape leaves.",
        )  # fmt: skip


@cache
def _component() -> ComponentRenderer:
    script = (Path(__file__).parent / "rating_desk.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_rating_desk", js=script)


# ---------------------------------------------------------------- no task, and those before


def _without_task(desk: Desk) -> None:
    if not desk.working:
        layout.empty(
            "⚖️",
            "Two answers, one question: which is better?",
            "One key or one tap a vote. Nobody sees names before.",
        )
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button(
                "Start rating", key="rating_start", shortcut="N", type="primary",
                icon=":material/play_arrow:", on_click=start,
            )  # fmt: skip
        return
    if desk.asked is not None:
        layout.empty("⏳", desk.asked.words, "It goes on here by itself.")
    else:
        layout.empty("☕", "Nothing to rate right now", "The next task comes up here by itself.")
        _places_that_end(desk.campaign_id)
    st.button("Stop", key="rating_stop", shortcut="Q", type="tertiary", on_click=stop)


@st.fragment(run_every=_LOOK_EVERY, key="rating_places")
def _places_that_end(campaign_id: str) -> None:
    """Look for a place that nobody has written down as free: a lease that has run out."""
    desk = desk_of(campaign_id)
    if desk.asked is not None or desk.claim is not None or not open_places(campaign_id):
        return
    claim_next(desk)
    if desk.claim is not None:
        st.rerun()


def _last(desk: Desk) -> None:
    if desk.last is None:
        return
    busy = desk.asked is not None
    with st.container(key="rating_last", horizontal=True, vertical_alignment="center"):
        st.html(last_html(desk.last))
        if desk.last_is_foretold:
            st.html(saving_html(True))
        st.button(
            "Undo", key="rating_undo", shortcut="U", icon=":material/undo:", disabled=busy, on_click=undo
        )
        if desk.last.verdict is not None:
            st.button(
                "Who was it?", key="rating_who", shortcut="W", type="tertiary", disabled=busy, on_click=who,
                help="Shows the names and what others said. Your vote is final then.",
            )  # fmt: skip

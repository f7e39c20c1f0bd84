"""The rating desk: one task at a time, judged with single keys, without names until the vote."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from db.ratings.models import Campaign, CampaignStatus, RaterProfile
from db.ratings.task_models import (
    AutoCheckStatus,
    Claim,
    TaskStatus,
    Verdict,
)
from livetables.fragments import live_fragment
from ui.base import drafts, html, layout, session
from ui.base.feedback import saving_html
from ui.base.text import as_label
from ui.base.write_queue import WRITES
from ui.ratings import tables
from ui.ratings.auto_check import CHECKER
from ui.ratings.desk_actions import DESK, Desk, desk_of, open_places
from ui.ratings.desk_html import (
    decision_html,
    progress_html,
    progress_of,
    revealed_html,
)
from ui.ratings.desk_state import Request
from ui.ratings.pair import Pair, pair_html
from ui.ratings.sides import VERDICT_LABELS, swapped

_KEYS: Final[Mapping[Verdict, str]] = {
    Verdict.A: "A",
    Verdict.B: "B",
    Verdict.TIE: "T",
    Verdict.BOTH_BAD: "X",
}
_SEARCH_EVERY: Final = 15
"""Seconds between searches for leases that have run out, while there is nothing to rate."""

_GUIDELINES: Final = html.Template('<div class="tv-verbatim">{text}</div>')
_CLOCK: Final = html.Template('<p class="tv-clock" role="timer" data-task="{task}">{time} left</p>')


def show(campaign: Campaign, me: RaterProfile) -> None:
    """Show the campaign's progress, and the desk."""
    show_progress(campaign.id)
    if campaign.guidelines:
        with st.expander("Guidelines", icon=":material/menu_book:"):
            html.show(_GUIDELINES(text=campaign.guidelines))
    _desk(campaign.id, me.rater_id)


@live_fragment(
    tables=("campaigns", "rating_tasks", "rater_profiles"), varies_by=("user",), key="rating_progress"
)
def show_progress(campaign_id: str) -> None:
    """Show a campaign's progress."""
    campaign = tables.campaigns().get((campaign_id,))
    if campaign is None:
        return
    progress = progress_of(tables.tasks().values(), campaign_id, datetime.now(UTC))
    html.show(progress_html(campaign, progress, tables.my_profile()))


@live_fragment(tables=("campaigns", "rating_tasks", WRITES), varies_by=("user", DESK), key="rating_work")
def _desk(campaign_id: str, rater_id: str) -> None:
    desk = desk_of(campaign_id)
    desk.settle()
    campaign = tables.campaigns().get((campaign_id,))
    if campaign is None or campaign.status is not CampaignStatus.ACTIVE:
        _closed(campaign)
        return
    if desk.state.work.rating and desk.state.work.claim is None:
        desk.look_for_task()
    if desk.state.error:
        st.warning(as_label(desk.state.error), icon=":material/error:")
    claim = desk.state.work.claim
    if claim is not None:
        _task(desk, claim, campaign, rater_id)
    else:
        _without_task(desk)
        _last(desk)
    if desk.state.revealed:
        html.show(revealed_html(desk.state.revealed))


def _closed(campaign: Campaign | None) -> None:
    if campaign is None:
        layout.empty("🍂", "This campaign is gone", "Choose another one.")
    elif campaign.status is CampaignStatus.COMPLETED:
        layout.empty("🏁", "This campaign is over", "Thank you. The leaderboard shows the results.")
    else:
        layout.empty("⏸️", "This campaign is paused", "You can rate again when its manager reopens it.")


# ---------------------------------------------------------------- a task


def _task(desk: Desk, claim: Claim, campaign: Campaign, rater_id: str) -> None:
    task = tables.tasks().get((claim.task.id,)) or claim.task
    if task.status is TaskStatus.WITHDRAWN:
        st.info("This task was withdrawn. What you wrote is kept.", icon=":material/info:")
        st.button("Next task", key="rating_next", shortcut="N", type="primary", on_click=desk.next_task)
        return
    if task.auto_check_status is AutoCheckStatus.NONE and (me := session.signed_in()) is not None:
        CHECKER.request(me, [task.id])
    content = claim.content
    pair = Pair(content.prompt, content.candidate_a, content.candidate_b, task.auto_check)
    left = max(0.0, desk.state.work.lease_ends_at - time.monotonic())
    minutes, seconds = divmod(math.ceil(left), 60)
    html.show(_CLOCK(task=task.id, time=f"{minutes}:{seconds:02}"))
    html.show(pair_html(pair, swapped=swapped(task.id, rater_id)))
    _buttons(desk, task.id, rater_id)
    _last(desk)
    _comment(desk, task.id)
    times = {"left": left, "all": campaign.lease_seconds, "unready": desk.unready}
    data = {name: seconds * 1000 for name, seconds in times.items()}
    _component()(key="rating_desk_keys", data=data)


def _buttons(desk: Desk, task_id: str, rater_id: str) -> None:
    request = desk.state.request
    busy = request is not None
    with st.container(key="rating_buttons", horizontal=True):
        for verdict, key in _KEYS.items():
            st.button(
                VERDICT_LABELS[verdict], key=f"rating_{verdict.value}", shortcut=key, disabled=busy,
                type="primary" if verdict in (Verdict.A, Verdict.B) else "secondary",
                on_click=desk.vote, args=(task_id, rater_id, verdict),
            )  # fmt: skip
        st.button(
            "Skip", key="rating_skip", shortcut="S", type="tertiary", disabled=busy, on_click=desk.skip,
            args=(task_id, rater_id),
        )  # fmt: skip
        st.button(
            "More time", key="rating_more", shortcut="M", type="tertiary", disabled=busy,
            on_click=desk.more_time,
        )  # fmt: skip
        st.button("Stop", key="rating_stop", shortcut="Q", type="tertiary", disabled=busy, on_click=desk.stop)
        if request is not None:
            html.show(saving_html(True, request.progress))


def _comment(desk: Desk, task_id: str) -> None:
    desk.open_comment()
    comment = desk.state.comment
    drafts.keep(drafts.comment(task_id), comment.key)
    with st.container(key="rating_comment_box"):
        st.text_area(
            "Comment", comment.initial, key=comment.key, max_chars=2000, height=80,
            on_change=desk.save_comment, placeholder="Why? Optional. K goes here, Escape leaves.",
        )  # fmt: skip


@cache
def _component() -> ComponentRenderer:
    script = (Path(__file__).parent / "desk.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_rating_desk", js=script)


# ---------------------------------------------------------------- no task, and the last one


def _without_task(desk: Desk) -> None:
    if not desk.state.work.rating:
        _invitation(desk)
        return
    _waiting(desk, desk.state.request)
    st.button("Stop", key="rating_stop", shortcut="Q", type="tertiary", on_click=desk.stop)


def _invitation(desk: Desk) -> None:
    layout.empty(
        "⚖️",
        "Two answers, one question: which is better?",
        "Press a key or tap a vote. You see the names only afterwards.",
    )
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.button(
            "Start rating", key="rating_start", shortcut="N", type="primary", icon=":material/play_arrow:",
            on_click=desk.start,
        )  # fmt: skip


def _waiting(desk: Desk, request: Request | None) -> None:
    if request is not None:
        layout.empty("⏳", request.progress, "The next task appears here when it arrives.")
    else:
        layout.empty("☕", "Nothing to rate right now", "The next task appears here when there is one.")
        _search_expired(desk.campaign_id)


@st.fragment(run_every=_SEARCH_EVERY, key="rating_places")
def _search_expired(campaign_id: str) -> None:
    """Claim a task whose lease has run out: no row changes when that happens, so nothing wakes the desk."""
    desk = desk_of(campaign_id)
    if desk.state.request is not None or desk.state.work.claim is not None or not open_places(campaign_id):
        return
    desk.claim_next()
    if desk.state.work.claim is not None:
        st.rerun()


def _last(desk: Desk) -> None:
    decision = desk.state.work.last
    if decision is None:
        return
    busy = desk.state.request is not None
    with st.container(key="rating_last", horizontal=True, vertical_alignment="center"):
        html.show(decision_html(decision))
        if desk.state.last_is_expected:
            html.show(saving_html(True))
        st.button(
            "Undo", key="rating_undo", shortcut="U", icon=":material/undo:", disabled=busy, on_click=desk.undo
        )
        if decision.verdict is not None:
            st.button(
                "Who was it?", key="rating_who", shortcut="W", type="tertiary", disabled=busy,
                on_click=desk.reveal_last,
                help="Shows the names and other raters' verdicts. You cannot undo your vote after that.",
            )  # fmt: skip

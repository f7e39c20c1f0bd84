"""The rating desk: one task at a time, judged with single keys, blind until the vote."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, cast

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from db import rating_judgments as calls
from db.errors import DatabaseError
from db.rating_models import Campaign, CampaignStatus, RaterProfile
from db.rating_task_models import AutoCheckStatus, Claim, TaskStatus, Verdict
from live.fragments import live_fragment
from ui import layout, rating_session, session, writing
from ui.rating_checks import CHECKER
from ui.rating_desk_html import Given, Told, last_html, progress_html, progress_of, told_html
from ui.rating_pair import Pair, pair_html
from ui.rating_sides import SHOWN, swapped, turned
from ui.text import as_html, as_label

_STATE: Final = "rating_desk"
_COMMENT: Final = "rating_comment"
_KEYS: Final = {Verdict.A: "A", Verdict.B: "B", Verdict.TIE: "T", Verdict.BOTH_BAD: "X"}
_TOO_SOON: Final = 0.35
"""Seconds after a task came up in which nobody can have read it: a key that was pressed twice."""
_TOLD: Final = 5
_LOOK_EVERY: Final = 15
"""Seconds between looks for places whose lease has run out, while there is nothing to rate."""


@dataclass(slots=True)
class Desk:
    """What lies on the desk of this session: of one campaign."""

    campaign_id: str
    working: bool = False
    claim: Claim | None = None
    ends_at: float = 0.0
    """When the lease ends, by this process's monotonic clock."""
    shown_at: float = 0.0
    comment: str = ""
    """What the field holds when it is shown again."""
    last: Given | None = None
    told: list[Told] = field(default_factory=list)
    error: str | None = None
    looked_at: object = None
    """The state of the queue in which there was nothing for this rater."""


def _desk(campaign_id: str) -> Desk:
    desk = cast("Desk | None", st.session_state.get(_STATE))
    if desk is None or desk.campaign_id != campaign_id:
        desk = Desk(campaign_id)
        st.session_state[_STATE] = desk
    return desk


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


@live_fragment(tables=("campaigns", "rating_tasks"), varies_by=("user", _STATE), key="rating_work")
def _work(campaign_id: str, rater_id: str) -> None:
    desk = _desk(campaign_id)
    campaign = rating_session.campaigns().get((campaign_id,))
    if campaign is None or campaign.status is not CampaignStatus.ACTIVE:
        _closed(campaign)
        return
    if desk.working and desk.claim is None:
        _look_for_task(desk)
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
        st.button("Next task", key="rating_next", shortcut="N", type="primary", on_click=_go_on)
        return
    if task.auto_check_status is AutoCheckStatus.NONE and (me := session.signed_in()) is not None:
        CHECKER.ask(me, [task.id])
    content = claim.content
    pair = Pair(content.prompt, content.candidate_a, content.candidate_b, task.auto_check)
    left = max(0.0, desk.ends_at - time.monotonic())
    minutes, seconds = divmod(math.ceil(left), 60)
    st.html(f'<p class="tv-clock" role="timer">{minutes}:{seconds:02} left</p>')
    st.html(pair_html(pair, swapped=swapped(task.id, rater_id)))
    _buttons(claim.task.id, rater_id)
    _last(desk)
    _comment(desk)
    _component()(key="rating_desk_keys", data={"left": left * 1000, "all": campaign.lease_seconds * 1000})


def _buttons(task_id: str, rater_id: str) -> None:
    with st.container(key="rating_buttons", horizontal=True):
        for verdict, key in _KEYS.items():
            st.button(
                SHOWN[verdict], key=f"rating_{verdict.value}", shortcut=key,
                type="primary" if verdict in (Verdict.A, Verdict.B) else "secondary",
                on_click=_vote, args=(task_id, rater_id, verdict),
            )  # fmt: skip
        st.button(
            "Skip", key="rating_skip", shortcut="S", type="tertiary", on_click=_skip, args=(task_id, rater_id)
        )
        st.button("More time", key="rating_more", shortcut="M", type="tertiary", on_click=_more_time)
        st.button("Stop", key="rating_stop", shortcut="Q", type="tertiary", on_click=_stop)


def _comment(desk: Desk) -> None:
    if _COMMENT not in st.session_state:
        st.session_state[_COMMENT] = desk.comment
    with st.container(key="rating_comment_box"):
        st.text_area(
            "Comment", key=_COMMENT, max_chars=2000, height=80,
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
            "⚖️", "Two answers, one question: which is better?", "One key a vote. Nobody sees names before."
        )
        st.button(
            "Start rating", key="rating_start", shortcut="N", type="primary", icon=":material/play_arrow:",
            on_click=_start,
        )  # fmt: skip
        return
    layout.empty("☕", "Nothing to rate right now", "The next task comes up here by itself.")
    _places_that_end(desk.campaign_id)
    st.button("Stop", key="rating_stop", shortcut="Q", type="tertiary", on_click=_stop)


@st.fragment(run_every=_LOOK_EVERY, key="rating_places")
def _places_that_end(campaign_id: str) -> None:
    """Look for a place that nobody has written down as free: a lease that has run out."""
    desk = _desk(campaign_id)
    if desk.claim is not None or not _open_places(campaign_id):
        return
    _next(desk)
    if desk.claim is not None:
        st.rerun()


def _last(desk: Desk) -> None:
    if desk.last is not None:
        with st.container(key="rating_last", horizontal=True, vertical_alignment="center"):
            st.html(last_html(desk.last))
            st.button("Undo", key="rating_undo", shortcut="U", icon=":material/undo:", on_click=_undo)
            if desk.last.verdict is not None:
                st.button(
                    "Who was it?", key="rating_who", shortcut="W", type="tertiary", on_click=_who,
                    help="Shows the names and what others said. Your vote is final then.",
                )  # fmt: skip


# ---------------------------------------------------------------- what the keys do


def _current() -> Desk | None:
    return cast("Desk | None", st.session_state.get(_STATE))


def _act(do: Callable[[Desk], None]) -> None:
    desk = _current()
    if desk is None:
        return
    desk.error = None
    desk.comment = str(st.session_state.get(_COMMENT, desk.comment))
    do(desk)


def _start() -> None:
    def do(desk: Desk) -> None:
        desk.working = True
        _next(desk)

    _act(do)


def _go_on() -> None:
    _act(_next)


def _vote(task_id: str, rater_id: str, seen: Verdict) -> None:
    def do(desk: Desk) -> None:
        claim = desk.claim
        # A press that was meant for the task before, or nobody's in so short a time.
        if claim is None or claim.task.id != task_id or time.monotonic() - desk.shown_at < _TOO_SOON:
            return
        crossed = swapped(task_id, rater_id)
        verdict = turned(seen, swapped=crossed)
        seconds = time.monotonic() - desk.shown_at
        comment = desk.comment.strip()
        done = writing.write("judgments", lambda me: calls.submit(me, task_id, verdict, comment, seconds))
        if isinstance(done, DatabaseError):
            _refused(desk, done)
            return
        before, desk.last = desk.last, Given(task_id, claim.content.prompt, verdict, comment, crossed)
        _clear_comment(desk)
        _next(desk)
        if before is not None:
            _tell(desk, before)

    _act(do)


def _refused(desk: Desk, error: DatabaseError) -> None:
    """Say why, and keep what was written for the next task or the next try."""
    desk.error = str(error)
    if isinstance(error, calls.LeaseLost):
        desk.claim = None
        _next(desk)


def _skip(task_id: str, rater_id: str) -> None:
    def do(desk: Desk) -> None:
        claim = desk.claim
        if claim is None or claim.task.id != task_id:
            return
        done = writing.write("task_leases", lambda me: calls.skip(me, task_id))
        if isinstance(done, DatabaseError):
            desk.error = str(done)
            return
        given = Given(task_id, claim.content.prompt, None, desk.comment, swapped(task_id, rater_id))
        before, desk.last = desk.last, given
        _clear_comment(desk)
        _next(desk)
        if before is not None and before.verdict is not None:
            _tell(desk, before)

    _act(do)


def _undo() -> None:
    def do(desk: Desk) -> None:
        given = desk.last
        if given is None:
            return
        if given.verdict is None:
            taken: Claim | DatabaseError = writing.attempt(lambda me: calls.resume(me, given.task_id))
        else:
            undone = writing.attempt(lambda me: calls.undo(me, given.task_id))
            if not isinstance(undone, DatabaseError):
                writing.show_written("judgments", [undone.judgment])
            taken = undone if isinstance(undone, DatabaseError) else undone.claim
        if isinstance(taken, DatabaseError):
            desk.error = str(taken)
            return
        desk.last = None
        desk.working = True
        _put_down(desk, taken)
        # What is half written for the other task goes behind it rather than away.
        desk.comment = "\n".join(text for text in (given.comment, desk.comment.strip()) if text)
        st.session_state[_COMMENT] = desk.comment

    _act(do)


def _who() -> None:
    def do(desk: Desk) -> None:
        if desk.last is not None:
            given, desk.last = desk.last, None
            _tell(desk, given)

    _act(do)


def _more_time() -> None:
    def do(desk: Desk) -> None:
        claim = desk.claim
        if claim is None:
            return
        lease = writing.write("task_leases", lambda me: calls.extend(me, claim.task.id))
        if isinstance(lease, DatabaseError):
            desk.error = str(lease)
            return
        campaign = rating_session.campaigns().get((desk.campaign_id,))
        if campaign is not None:
            desk.ends_at = time.monotonic() + campaign.lease_seconds

    _act(do)


def _stop() -> None:
    def do(desk: Desk) -> None:
        desk.working = False
        claim, desk.claim = desk.claim, None
        if claim is None:
            return
        # Given back for others at once; if that fails, the lease ends by itself.
        writing.write("task_leases", lambda me: calls.release(me, claim.task.id))

    _act(do)


def _clear_comment(desk: Desk) -> None:
    desk.comment = ""
    st.session_state[_COMMENT] = ""


def _next(desk: Desk) -> None:
    desk.claim = None
    taken = writing.attempt(lambda me: calls.claim(me, desk.campaign_id))
    if isinstance(taken, DatabaseError):
        desk.error = str(taken)
        desk.looked_at = _queue()
    elif taken is None:
        desk.looked_at = _queue()
    else:
        _put_down(desk, taken)


def _put_down(desk: Desk, claim: Claim) -> None:
    now = time.monotonic()
    desk.claim = claim
    desk.shown_at = now
    desk.ends_at = now + max(timedelta(0), claim.lease.expires_at - claim.now).total_seconds()


def _tell(desk: Desk, given: Given) -> None:
    if given.verdict is None:
        return
    reveal = writing.attempt(lambda me: calls.reveal(me, given.task_id))
    # What cannot be told now is no reason to stop.
    if not isinstance(reveal, DatabaseError):
        desk.told = [Told(given, reveal), *desk.told][:_TOLD]


def _look_for_task(desk: Desk) -> None:
    """Claim what has come up since there was nothing; at most once for each state of the queue."""
    queue = _queue()
    if desk.looked_at is queue:
        return
    desk.looked_at = queue
    if _open_places(desk.campaign_id):
        _next(desk)


def _open_places(campaign_id: str) -> int:
    tasks = rating_session.tasks().values()
    return progress_of(tasks, campaign_id, datetime.now(UTC)).open_places


def _queue() -> object:
    return rating_session.tasks()

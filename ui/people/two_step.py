"""Two-step sign-in on one's profile: add an authenticator app, keep recovery codes, switch it off."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final, cast

import streamlit as st

from db.auth import two_step
from db.auth.signed_in import SignedIn
from db.auth.two_step import Enrolment
from db.errors import DatabaseError, SignedOutError
from ui.base import feedback, session, times
from ui.base.html import Markup, Template
from ui.base.html import show as show_html
from ui.base.kept_reads import kept_reads
from ui.base.text import as_label

_KEPT: Final = "two_step"
_BEGUN: Final = "two_step_begun"
_CODES: Final = "two_step_codes"
_GROUP: Final = 4  # characters of a secret that are read at once
_PICTURE = Template(
    '<img class="tv-qr" alt="QR code with the key that stands below" width="200" height="200"'
    ' src="data:image/svg+xml;base64,{data}">'
)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the account has: since when it asks for a code (None: it does not), and its unused codes."""

    since: str | None
    codes_left: int


@st.fragment(key="profile_two_step")
def show() -> None:
    """Show whether the account asks for a code, and change that."""
    me = session.signed_in()
    if me is None:
        return
    st.header("Two-step sign-in", anchor=False)
    codes = cast("list[str] | None", st.session_state.get(_CODES))
    begun = cast("Enrolment | None", st.session_state.get(_BEGUN))
    try:
        if codes is not None:
            _show_codes(codes)
        elif begun is not None:
            _finish(me, begun)
        else:
            _overview(me, _read(me))
    except DatabaseError as error:
        feedback.show_error(error)
        st.button("Try again", icon=":material/refresh:", key="two_step_again")


def _read(me: SignedIn) -> _Read:
    """Read once while the page is open; whatever changes it drops what was read."""
    kept = cast("_Read | None", kept_reads().get(_KEPT))
    if kept is None:
        found = two_step.factors(me)
        region = session.region()
        since = times.short_day(found[0].added_at, region, times.today_in(region.zone)) if found else None
        kept = kept_reads()[_KEPT] = _Read(since, two_step.recovery_codes_left(me) if found else 0)
    return kept


def _overview(me: SignedIn, read: _Read) -> None:
    if read.since is None:
        st.write(
            "Off. With it, signing in takes your password and a code that an app on your phone shows, so a "
            "password that somebody else has learned opens nothing."
        )
        if st.button("Set up two-step sign-in", icon=":material/shield_lock:", key="two_step_begin"):
            st.session_state[_BEGUN] = two_step.begin(me)
            st.rerun(scope="fragment")
        return
    left = "1 recovery code is left" if read.codes_left == 1 else f"{read.codes_left} recovery codes are left"
    st.write(as_label(f"On since {read.since}. {left}."))
    with st.container(horizontal=True):
        if st.button("New recovery codes", icon=":material/key:", key="two_step_new_codes"):
            st.session_state[_CODES] = two_step.new_recovery_codes(me)
            kept_reads().pop(_KEPT, None)
            st.rerun(scope="fragment")
        if st.button("Switch it off", icon=":material/lock_open:", key="two_step_off"):
            _ask_to_switch_off()
    st.caption("New codes make those from before void.")


def _finish(me: SignedIn, begun: Enrolment) -> None:
    st.write("1. Scan this with an authenticator app, or enter the key there by hand.")
    show_html(qr_html(begun.qr_code))
    st.code(grouped(begun.secret), language=None)
    with st.form("two_step_confirm", border=False):
        code = st.text_input(
            "2. Enter the six digits that the app shows",
            key=f"two_step_code_{begun.factor_id}",
            max_chars=20,
            autocomplete="one-time-code",
        )
        problem = st.container()
        with st.container(horizontal=True):
            sent = st.form_submit_button("Switch it on", type="primary")
            left = st.form_submit_button("Not now")
    st.caption("Your other devices are signed out then, and ask for a code the next time.")
    if left:
        st.session_state.pop(_BEGUN, None)
        st.rerun(scope="fragment")
    if not sent:
        return
    if not code.strip():
        with problem:
            feedback.show_problem("Please enter the six digits that your app shows now.")
        return
    try:
        st.session_state[_CODES] = two_step.confirm(me, begun, code)
    except SignedOutError:
        st.session_state.pop(_BEGUN, None)
        feedback.toast("This key is void, perhaps because you began anew elsewhere.", ":material/lock_open:")
        st.rerun(scope="fragment")
    except DatabaseError as error:
        with problem:
            feedback.show_problem(str(error))
        return
    st.session_state.pop(_BEGUN, None)
    kept_reads().clear()
    feedback.toast("Two-step sign-in is on.", ":material/shield_lock:")
    st.rerun(scope="fragment")


def _show_codes(codes: list[str]) -> None:
    st.write("Keep these recovery codes where you find them without your phone. They are shown this once.")
    text = "\n".join(codes)
    st.code(text, language=None)
    with st.container(horizontal=True):
        st.download_button(
            "Download", f"{text}\n", "tavern-recovery-codes.txt", "text/plain", icon=":material/download:"
        )
        if st.button("I have kept them", type="primary", key="two_step_kept"):
            st.session_state.pop(_CODES, None)
            st.rerun(scope="fragment")
    st.caption("Each lets you in once without your app, and switches two-step sign-in off.")


@st.dialog("Switch off two-step sign-in?")
def _ask_to_switch_off() -> None:
    st.write("Your password alone opens your account then. Your recovery codes become void.")
    with st.container(horizontal=True):
        sure = st.button("Yes, switch it off", type="primary")
        if st.button("Keep it"):
            st.rerun()
    me = session.signed_in()
    if not sure or me is None:
        return
    try:
        two_step.switch_off(me)
    except DatabaseError as error:
        feedback.show_error(error)
        return
    kept_reads().clear()
    feedback.toast("Two-step sign-in is off.", ":material/lock_open:")
    st.rerun()


def grouped(secret: str) -> str:
    """Return a secret in groups of four characters, as people type it."""
    return " ".join(secret[start : start + _GROUP] for start in range(0, len(secret), _GROUP))


def qr_html(svg: str) -> Markup:
    """Show an SVG as a picture, which no script in it can use."""
    return _PICTURE(data=base64.b64encode(svg.encode()).decode("ascii"))

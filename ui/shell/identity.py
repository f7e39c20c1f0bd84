"""Whose tab this is: restored from the cookie, kept while the sign-in lasts, a visitor's after it ended."""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from db.auth.accounts import Accounts, SignedIn
from db.errors import SignInError, UnreachableError
from livetables.auth.cookie import SessionCookie
from livetables.engine import Engine
from livetables.fragments import STATUS, live_fragment
from livetables.rerun import uninterrupted
from ui.base import drafts, feedback, session, tab
from ui.base.parts import MY_PROFILE
from ui.base.people import label_of
from ui.shell import cookie

_observed: weakref.WeakSet[SignedIn] = weakref.WeakSet()
_OTHER = "sign_in_of_another"
_SIGNED_OUT = "You are signed out"
_KEPT = "What you were writing is kept in this browser, and there again when you sign in."
_RETRY_AFTER = 5.0
"""Seconds between tries to restore a sign-in while the service cannot be reached."""


def identify() -> SignedIn | None:
    """Return the person whose tab this is, None for a visitor. Call it in every full run.

    The first run of a tab restores the sign-in from the cookie.
    """
    if session.was_signed_in():
        leave()
        feedback.toast(f"{_SIGNED_OUT}. {_KEPT}", ":material/logout:", until_closed=True)
    if not st.session_state.get(tab.IDENTIFIED):
        _restore()
    return session.signed_in()


def _restore() -> None:
    token = cookie.received()
    if token is None:
        st.session_state[tab.IDENTIFIED] = True
        return
    try:
        enter(session.services().accounts.restore(token, user_agent=session.user_agent()))
    except UnreachableError:
        # The sign-in may still be good, so another run tries again; `needs_full_run` asks for it.
        st.session_state[tab.RESTORE_TRIED] = time.monotonic()
    except SignInError:
        st.session_state[tab.IDENTIFIED] = True
        st.session_state[tab.ENDED_COOKIE] = token


def needs_full_run() -> bool:
    """Tell whether only a full run can identify this tab: its sign-in ended, or was not restored yet."""
    if session.was_signed_in():
        return True
    tried: float = st.session_state.get(tab.RESTORE_TRIED, 0.0)
    return not st.session_state.get(tab.IDENTIFIED) and time.monotonic() - tried > _RETRY_AFTER


def enter(me: SignedIn) -> None:
    """Make this the tab of a person who has just signed in. What another person has left in it goes."""
    # Half of it would be a tab of nobody, and the sign-in that the service has granted lost.
    with uninterrupted():
        tab.belong_to(me.user_id)
        st.session_state[tab.IDENTIFIED] = True
        session.sign_in_as(me)
    if me not in _observed:
        _observed.add(me)
        user_id, engine = me.user_id, session.engine()
        # This wakes all tabs of the person; the fragment that syncs the cookie then sees what has changed.
        me.on_end(lambda: engine.sign_in_changed(user_id))
        me.on_token(lambda _token: engine.sign_in_changed(user_id))
        me.on_browser_token_needed(lambda: engine.sign_in_changed(user_id))


def leave() -> None:
    """Make this the tab of a visitor again."""
    me = session.last_sign_in()
    if me is not None:
        st.session_state[tab.ENDED_COOKIE] = str(me.cookie)
    session.sign_in_as(None)


def sign_out() -> None:
    """Sign this person out, in all their browsers."""
    _sign_out(everywhere=True)


def sign_out_here() -> None:
    """Sign this person out in this browser only."""
    _sign_out(everywhere=False)


def _sign_out(*, everywhere: bool) -> None:
    me = session.signed_in()
    if me is None:
        return
    try:
        session.services().accounts.sign_out(me, everywhere=everywhere)
    except UnreachableError:
        feedback.toast(
            f"{_SIGNED_OUT} here, but Tavern could not sign you out elsewhere.", ":material/logout:"
        )
    leave()
    tab.clear()
    st.query_params.clear()


@cache
def _toasts() -> ComponentRenderer:
    script = (Path(__file__).parent / "toasts.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_toasts", js=script)


@dataclass(frozen=True, slots=True)
class _OtherSignIn:
    """The sign-in whose cookie the browser holds instead of this tab's.

    `held` is None if it could not be asked for. It is held, so that its end is noticed while no tab has it.
    """

    cookie: SessionCookie
    held: SignedIn | None


@live_fragment(tables=(STATUS, MY_PROFILE), varies_by=("user", _OTHER), key="sign_in_cookie")
def sync_cookie() -> None:
    """Write the newest token to the browser's cookie, and take over a newer one from another process.

    If somebody else is signed in in this browser, their cookie stays, and the person is told.
    """
    drafts.deliver_forgotten()
    _toasts()(key="tavern_toasts", data={"turn": tab.turn(), "keep": _SIGNED_OUT})
    me, ended = session.signed_in(), st.session_state.get(tab.ENDED_COOKIE)
    if me is None:
        cookie.sync(None, ended=ended)
        return
    other = cast("_OtherSignIn | None", st.session_state.get(_OTHER))
    if other is not None and other.held is not None and other.held.ended:
        ended = st.session_state[tab.ENDED_COOKIE] = str(other.held.cookie)
        st.session_state.pop(_OTHER)
        other = None
    others = str(other.held.cookie) if other is not None and other.held is not None else ""
    report = cookie.sync(str(me.cookie), ended=ended, others=others, request=me.browser_token_request())
    if report.newer is not None:
        me.receive_cookie(SessionCookie.parse(report.newer))
    if report.others is not None:
        _note_other_sign_in(me, report.others)
    _warn_of_other_sign_in(me)


def _note_other_sign_in(me: SignedIn, text: str) -> None:
    """Find out whose cookie the browser holds. That of a sign-in that has ended makes room."""
    if not text:
        st.session_state.pop(_OTHER, None)
        return
    found = SessionCookie.parse(text)
    known = cast("_OtherSignIn | None", st.session_state.get(_OTHER))
    if known is not None and known.cookie.session_id == found.session_id and known.held is not None:
        return
    held = None
    try:
        held = session.services().accounts.restore(text, user_agent=session.user_agent())
    except UnreachableError:
        pass
    except SignInError:
        st.session_state.pop(_OTHER, None)
        if st.session_state.get(tab.ENDED_COOKIE) != text:
            st.session_state[tab.ENDED_COOKIE] = text
            st.rerun(scope="fragment")
        return
    st.session_state[_OTHER] = _OtherSignIn(found, held)
    if held is not None:
        user_id, engine = me.user_id, session.engine()
        held.on_end(lambda: engine.sign_in_changed(user_id))
        held.on_token(lambda _token: engine.sign_in_changed(user_id))


def _warn_of_other_sign_in(me: SignedIn) -> None:
    other = cast("_OtherSignIn | None", st.session_state.get(_OTHER))
    user_id = other.held.user_id if other is not None and other.held is not None else None
    if other is None or user_id == me.user_id:
        return
    name = label_of(session.users().get((user_id,)) if user_id else None)
    st.caption(
        f"{name} is signed in in this browser too and stays it: new tabs are theirs, and so is this one once "
        "it is reloaded. To stay signed in here, let them sign out first."
    )


_ENDED_SESSIONS = "ended_sessions"


def follow_ended_sessions(engine: Engine, accounts: Accounts) -> None:
    """End every sign-in of this process as soon as the database says that its session has ended."""

    def on_change(sessions: frozenset[str], tables: frozenset[str]) -> None:
        if _ENDED_SESSIONS not in tables:
            return
        user_ids = {
            user_id for session, user_id in engine.sessions.items() if session in sessions and user_id
        }
        for user_id in user_ids:
            table = engine.tables(user_id).get(_ENDED_SESSIONS)
            accounts.end_sessions({key[0] for key in table.rows} if table is not None else ())

    engine.listen(on_change)

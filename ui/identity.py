"""Who this tab belongs to: restored from the cookie, kept while signed in, given up when the sign-in ends."""

from __future__ import annotations

import time
import weakref

import streamlit as st

from db.auth import SignedIn
from db.errors import SignInError, Unreachable
from db.kept import Kept
from live.fragments import STATUS, live_fragment
from ui import cookie, session, writing

_followed: weakref.WeakSet[SignedIn] = weakref.WeakSet()
_SETTLED = "tavern_settled"
_TRIED = "tavern_restore_tried"
_DEAD = "tavern_dead_token"
_TRY_AGAIN = 5.0
"""Seconds between tries to restore a sign-in while the service cannot be reached."""


def settle() -> SignedIn | None:
    """Find out whose tab this is; at the first run of a tab from its cookie. Call it in every full run."""
    if session.was_signed_in():
        leave()
        writing.say("You are signed out.", ":material/logout:")
    if not st.session_state.get(_SETTLED):
        _restore()
    return session.signed_in()


def _restore() -> None:
    token = cookie.kept()
    if token is None:
        st.session_state[_SETTLED] = True
        return
    try:
        enter(session.services().accounts.restore(token))
    except Unreachable:
        # Not known: tried again in the next run, which `overdue` brings about.
        st.session_state[_TRIED] = time.monotonic()
    except SignInError:
        st.session_state[_SETTLED] = True
        st.session_state[_DEAD] = token


def overdue() -> bool:
    """Tell whether this tab needs a full run to find out whose it is: signed out, or not restored yet."""
    if session.was_signed_in():
        return True
    tried: float = st.session_state.get(_TRIED, 0.0)
    return not st.session_state.get(_SETTLED) and time.monotonic() - tried > _TRY_AGAIN


def enter(me: SignedIn) -> None:
    """Make this the tab of somebody who has just signed in."""
    st.session_state[_SETTLED] = True
    session.sign_in_as(me)
    if me not in _followed:
        _followed.add(me)
        user_id, engine = me.user_id, session.engine()
        # Every tab of this person is woken, and finds out in its next fragment; the cookie is one.
        me.on_end(lambda: engine.sign_in_changed(user_id))
        me.on_token(lambda _token: engine.sign_in_changed(user_id))
        me.on_doubt(lambda: engine.sign_in_changed(user_id))


def leave() -> None:
    """Make this the tab of a visitor again."""
    me = session.held()
    if me is not None:
        st.session_state[_DEAD] = str(me.kept)
    session.sign_in_as(None)


def sign_out() -> None:
    """Sign this person out, here and in every other place."""
    _sign_out(everywhere=True)


def sign_out_here() -> None:
    """Sign this person out in this browser, and leave the others."""
    _sign_out(everywhere=False)


def _sign_out(*, everywhere: bool) -> None:
    me = session.signed_in()
    if me is None:
        return
    try:
        session.services().accounts.sign_out(me, everywhere=everywhere)
    except Unreachable:
        writing.say("You are signed out here; other places could not be told.", ":material/logout:")
    leave()


@live_fragment(tables=(STATUS,), varies_by=("user",), key="sign_in_cookie")
def keep_cookie() -> None:
    """Keep the browser's cookie at the newest token, and take from it what another process has put there."""
    me = session.signed_in()
    if me is None:
        cookie.keep(None, dead=st.session_state.get(_DEAD))
        return
    told = cookie.keep(str(me.kept), dead=st.session_state.get(_DEAD), ask=me.doubt())
    if told is not None:
        me.hear(Kept.parse(told))

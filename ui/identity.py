"""Who this tab belongs to: restored from the cookie, kept while signed in, given up when the sign-in ends."""

from __future__ import annotations

import time
import weakref

import streamlit as st

from db.auth import SignedIn
from db.errors import SignInError, Unreachable
from db.kept import Kept
from ui import cookie, session, writing

_followed: weakref.WeakSet[SignedIn] = weakref.WeakSet()
_SETTLED = "tavern_settled"
_TRIED = "tavern_restore_tried"
_DEAD = "tavern_dead_token"
_ASKED = "tavern_asked_for_token"
_TRY_AGAIN = 5.0
"""Seconds between tries to restore a sign-in while the service cannot be reached."""
_COOKIE_EVERY = 240
"""Seconds between looks at whether the token has been replaced; the one before stays good."""


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
    """Tell whether this tab needs a full run to find out whose it is: not known yet, over, or in doubt."""
    if session.was_signed_in() or _not_asked_yet():
        return True
    tried: float = st.session_state.get(_TRIED, 0.0)
    return not st.session_state.get(_SETTLED) and time.monotonic() - tried > _TRY_AGAIN


def _not_asked_yet() -> bool:
    me = session.signed_in()
    return me is not None and bool(me.doubt()) and st.session_state.get(_ASKED) != me.doubt()


def enter(me: SignedIn) -> None:
    """Make this the tab of somebody who has just signed in."""
    st.session_state[_SETTLED] = True
    session.sign_in_as(me)
    if me not in _followed:
        _followed.add(me)
        user_id, engine = me.user_id, session.engine()
        # Every tab of this person is woken, and finds out in its next fragment.
        me.on_end(lambda: engine.sign_in_ended(user_id))


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


@st.fragment(run_every=_COOKIE_EVERY, key="sign_in_cookie")
def keep_cookie() -> None:
    """Keep the browser's cookie at the newest token, and take from it what another process has put there."""
    me = session.signed_in()
    if me is None:
        cookie.keep(None, dead=st.session_state.get(_DEAD))
        return
    st.session_state[_ASKED] = doubt = me.doubt()
    told = cookie.keep(str(me.kept), dead=st.session_state.get(_DEAD), ask=doubt)
    if told is not None:
        me.hear(Kept.parse(told))

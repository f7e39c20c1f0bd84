"""Signing in: a form, the cookie that keeps a browser signed in, and the tab's person."""

from __future__ import annotations

import hashlib
import weakref
from functools import cache
from typing import Final, cast

import httpx
import streamlit as st
from supabase_auth import SyncGoTrueClient

from livetables import rerun
from livetables.auth.accounts import Accounts, ConfirmationNeeded
from livetables.auth.agent import agent_header
from livetables.auth.cookie import SessionCookie
from livetables.auth.errors import ERRORS, AuthUnreachableError, CodeNeededError, SignInError
from livetables.auth.fields import problems_of_sign_in
from livetables.auth.second_factor import CodeNeeded
from livetables.auth.signed_in import SignedIn
from livetables.config import EngineConfig
from livetables.fragments import STATUS, live_fragment
from livetables.library import cookie, session

SHORTEST_PASSWORD: Final = 6
"""What Supabase asks for unless a project asks for more, which the service then says."""

_ME: Final = "livetables.signed_in"
_ENDED: Final = "livetables.ended_cookie"
_KNOWN: Final = "livetables.identified"
_SAID: Final = "livetables.sign_in_said"
_WAITING: Final = "livetables.waiting_for_code"
_CODE: Final = "livetables_code_field"
_EMAIL: Final = "livetables_email"
_PASSWORD: Final = "livetables_password"  # noqa: S105 - the key of a field
_TIMEOUT: Final = httpx.Timeout(7.0, connect=4.0)
_SIGNED_OUT: Final = "You have been signed out. Please sign in again."
_OTHER: Final = (
    "Somebody else is signed in in this browser too and stays it: new tabs are theirs. "
    "To stay signed in here, let them sign out first."
)


class _Clients:
    """Clients of the Auth service of one project."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._pool = httpx.Client(timeout=_TIMEOUT, follow_redirects=True)

    def auth(self, user_agent: str = "") -> SyncGoTrueClient:
        """Return a client that keeps no session."""
        key = self._config.key
        return SyncGoTrueClient(
            url=f"{self._config.url}/auth/v1",
            headers={"apikey": key, "Authorization": f"Bearer {key}", **agent_header(user_agent)},
            auto_refresh_token=False,
            persist_session=False,
            http_client=self._pool,
        )


Person = SignedIn[_Clients]
"""One signed-in browser. `user_id` and `email` say whose it is."""


@cache  # one a project, as the databases
def accounts(config: EngineConfig) -> Accounts[Person]:
    """Return the sign-ins of this process at a project."""
    clients = _Clients(config)
    return Accounts(clients, ERRORS, lambda found, rotation: SignedIn(clients, ERRORS, found, rotation))


def cookie_name(config: EngineConfig) -> str:
    """Return the name of the cookie: one for each project, as ports of a host share cookies."""
    return f"livetables_{hashlib.sha256(config.url.encode()).hexdigest()[:12]}"


_observed: Final[weakref.WeakSet[Person]] = weakref.WeakSet()


def sign_in(*, required: bool = True, create_accounts: bool = False) -> Person | None:
    """Return who is signed in in this browser, for `begin(user=...)`. Call it in each run, after `db.watch`.

    A reload and a new tab stay signed in: the browser keeps a cookie that only this app reads.

    Arguments:
        required: whether to show a form to a visitor and end the run there. If not, a visitor is None.
        create_accounts: whether the form also creates accounts.

    Raises `LiveError` if no database is connected.
    """
    me = _identified()
    if me is not None:
        return me
    cookie.sync(cookie_name(session.database().config), None, ended=st.session_state.get(_ENDED))
    if required:
        session.bind(None)
        _show_form(create_accounts=create_accounts)
        st.stop()
    return None


def sign_out() -> None:
    """Sign the person of the running tab out, in this browser. Call it in a callback of a button."""
    me = _held()
    if me is not None:
        try:
            accounts(session.database().config).sign_out(me, everywhere=False)
        except AuthUnreachableError:
            # In this process it has ended all the same; elsewhere it ends when its tokens expire.
            st.toast("You are signed out here. The sign-in service could not be told.")
        _leave(me)


def _held() -> Person | None:
    return cast("Person | None", st.session_state.get(_ME))


def _identified() -> Person | None:
    me = _held()
    if me is not None and me.ended:
        _leave(me)
        st.session_state[_SAID] = _SIGNED_OUT
        return None
    if me is None and not st.session_state.get(_KNOWN):
        return _restored()
    return me


def _restored() -> Person | None:
    """Restore the sign-in from the cookie, in the first run of a tab."""
    text = cookie.received(cookie_name(session.database().config))
    if text is None:
        st.session_state[_KNOWN] = True
        return None
    try:
        return _enter(accounts(session.database().config).restore(text))
    except AuthUnreachableError as error:
        st.session_state[_SAID] = str(error)  # it may still be good: the next run tries again
    except SignInError:
        st.session_state[_KNOWN] = True
        st.session_state[_ENDED] = text
    return None


def _enter(me: Person) -> Person:
    # Half of it would be a tab of nobody, and the sign-in that the service has granted lost.
    with rerun.uninterrupted():
        st.session_state[_KNOWN] = True
        st.session_state[_ME] = me
        st.session_state.pop(_SAID, None)
    if me not in _observed:
        _observed.add(me)
        user_id, engine = me.user_id, session.database().engine
        # These wake all tabs of the person: the fragment that keeps the cookie sees what has changed.
        me.on_end(lambda: engine.sign_in_changed(user_id))
        me.on_token(lambda _token: engine.sign_in_changed(user_id))
        me.on_browser_token_needed(lambda: engine.sign_in_changed(user_id))
    return me


def _leave(me: Person) -> None:
    st.session_state[_ENDED] = str(me.cookie)
    st.session_state.pop(_ME, None)
    st.session_state[_KNOWN] = True


@live_fragment(tables=(STATUS,), varies_by=("user",), key="livetables_cookie")
def keep_cookie() -> None:
    """Write the newest token to the browser's cookie, and take over a newer one from another process."""
    me = _held()
    if me is None:
        return
    if me.ended:
        st.rerun()
    ended = st.session_state.get(_ENDED)
    report = cookie.sync(
        cookie_name(session.database().config),
        str(me.cookie),
        ended=ended,
        request=me.browser_token_request(),
    )
    if report.newer is not None:
        me.receive_cookie(SessionCookie.parse(report.newer))
    if report.others:
        st.caption(_OTHER)


def _show_form(*, create_accounts: bool) -> None:
    if said := st.session_state.get(_SAID):
        st.info(said, icon=":material/logout:")
    waiting = cast("CodeNeeded | None", st.session_state.get(_WAITING))
    if waiting is not None:
        _ask_for_code(waiting)
        return
    with st.form("livetables_sign_in", width=420):
        email = st.text_input("Email", key=_EMAIL, autocomplete="email")
        at_email = st.container()
        password = st.text_input("Password", type="password", key=_PASSWORD, autocomplete="current-password")
        at_password = st.container()
        pressed = st.form_submit_button("Sign in", type="primary", width="stretch")
        wanted = create_accounts and st.form_submit_button("Create account", width="stretch")
    if not (pressed or wanted):
        return
    problems = problems_of(email, password, new=bool(wanted))
    for place, name in ((at_email, "email"), (at_password, "password")):
        if name in problems:
            place.error(problems[name])
    if not problems:
        _submit(email, password, new=bool(wanted))


def _ask_for_code(waiting: CodeNeeded) -> None:
    with st.form("livetables_code", width=420):
        code = st.text_input(
            "Six-digit code of your authenticator app", key=_CODE, autocomplete="one-time-code"
        )
        place = st.container()
        pressed = st.form_submit_button("Sign in", type="primary", width="stretch")
        back = st.form_submit_button("Back", width="stretch")
    if back:
        st.session_state.pop(_WAITING, None)
        st.rerun()
    if not pressed:
        return
    try:
        me = accounts(session.database().config).enter_code(waiting, "".join(code.split()))
    except SignInError as error:
        place.error(str(error))
        return
    st.session_state.pop(_WAITING, None)
    _enter(me)
    st.rerun()


def problems_of(email: str, password: str, *, new: bool) -> dict[str, str]:
    """Return what is missing or wrong in the form, by field."""
    problems = problems_of_sign_in(email, password)
    if password and new and len(password) < SHORTEST_PASSWORD:
        problems["password"] = f"Please choose a password of at least {SHORTEST_PASSWORD} characters."
    return problems


def _submit(email: str, password: str, *, new: bool) -> None:
    here = accounts(session.database().config)
    try:
        me = here.sign_up(email, password) if new else here.sign_in(email, password)
    except CodeNeededError as needed:
        st.session_state[_WAITING] = needed.waiting
        st.rerun()
    except SignInError as error:
        st.error(str(error))
        return
    if isinstance(me, ConfirmationNeeded):
        st.success(f"We have sent a mail to {me.email}. Open its link, then sign in.")
        return
    _enter(me)
    st.rerun()

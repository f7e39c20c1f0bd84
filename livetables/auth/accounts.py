"""Signing up, in and out, and the one thread of the process that keeps sign-ins fresh.

Each refresh replaces the refresh token, and presenting an old one revokes the whole session (GoTrue accepts
only the direct parent of the current token). So all tabs of a browser share one `SignedIn`, which alone
refreshes the session in this process. A tab finds it by the hash of any token that was current in the last
minutes. `livetables.auth.signed_in` says how several processes that serve one browser get along.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from supabase_auth.errors import AuthError
from supabase_auth.types import Session, SignUpWithEmailAndPasswordCredentials

from livetables.auth import second_factor
from livetables.auth.cookie import SessionCookie
from livetables.auth.errors import AuthErrors
from livetables.auth.jwt import claims_of
from livetables.auth.second_factor import CodeNeeded
from livetables.auth.signed_in import AuthClients, SignedIn, session_of
from livetables.background import start_daemon
from livetables.faults import FAULTS

__all__ = ["Accounts", "ConfirmationNeeded", "SignedIn"]

_log = logging.getLogger(__name__)

S = TypeVar("S", bound=SignedIn[Any])

_PLACE = "token-refresher"
RETRY_PAUSE = 5.0
"""Seconds between tries while the Auth service cannot be reached."""
CHECK_EVERY = 60.0
"""Seconds between two checks whether a session still exists. So long may a session that ended elsewhere go
unnoticed when `end_sessions` is not called for it."""
REPLACED_TOKEN_LIFETIME = 600.0
"""Seconds for which a replaced token still finds its sign-in here, for tabs with an older cookie."""


@dataclass(frozen=True, slots=True)
class ConfirmationNeeded:
    """The account exists, but the project requires a confirmed email address before the first sign-in."""

    email: str


class Accounts(Generic[S]):
    """All sign-ins of this process, and the thread that keeps them fresh.

    `make` makes the sign-in of a session and its rotation. The methods raise `errors`.
    """

    def __init__(self, clients: AuthClients, errors: AuthErrors, make: Callable[[Session, int], S]) -> None:
        self._clients, self._errors, self._make = clients, errors, make
        self._lock = threading.Lock()
        # Weak references: a sign-in lives as long as a tab holds it, and nobody's tokens are refreshed after
        # they left.
        self._all: weakref.WeakSet[S] = weakref.WeakSet()
        self._by_token: dict[str, tuple[weakref.ref[S], float]] = {}
        self._restoring: dict[str, threading.Lock] = {}
        self._wake = threading.Event()
        self._closed = False
        self._refresher: threading.Thread | None = None

    def sign_up(
        self, email: str, password: str, display_name: str = "", *, user_agent: str = ""
    ) -> S | ConfirmationNeeded:
        """Create an account, and sign in unless the project requires a confirmed address first.

        Raises `errors.from_auth` of the refusal when the account cannot be created.
        """
        credentials: SignUpWithEmailAndPasswordCredentials = {
            "email": _spelled(email),
            "password": password,
            "options": {"data": {"display_name": display_name} if display_name else {}},
        }
        try:
            response = self._clients.auth(user_agent).sign_up(credentials)
        except AuthError as error:
            raise self._errors.from_auth(error) from error
        if response.session is None:
            return ConfirmationNeeded(_spelled(email))
        return self._signed_in_of(response.session, user_agent=user_agent)

    def sign_in(self, email: str, password: str, *, user_agent: str = "") -> S:
        """Sign in with a password.

        Raises `errors.from_auth` of the refusal, and `errors.code_needed` when the account has a second
        factor; then `enter_code` goes on.
        """
        client = self._clients.auth(user_agent)
        try:
            response = client.sign_in_with_password({"email": _spelled(email), "password": password})
        except AuthError as error:
            raise self._errors.from_auth(error) from error
        session = session_of(response, self._errors)
        waiting = second_factor.needed(client, session, user_agent)
        if waiting is not None:
            raise self._errors.code_needed(waiting)
        return self._signed_in_of(session, user_agent=user_agent)

    def enter_code(self, waiting: CodeNeeded, code: str) -> S:
        """Go on with a code of the second factor. Raises `errors.from_auth` of the refusal."""
        try:
            session = waiting.enter(code)
        except AuthError as error:
            raise self._errors.from_auth(error) from error
        return self._entered(waiting, session)

    def enter_without_code(self, waiting: CodeNeeded) -> S:
        """Go on after the second factor was removed. Raises `errors.from_auth` if it was not."""
        try:
            session = waiting.client.refresh_session().session
        except AuthError as error:
            raise self._errors.from_auth(error) from error
        if session is not None:
            again = second_factor.needed(waiting.client, session, waiting.user_agent)
            if again is not None:
                raise self._errors.code_needed(again)
        return self._entered(waiting, session)

    def _entered(self, waiting: CodeNeeded, session: Session | None) -> S:
        if session is None:
            raise self._errors.no_session("The sign-in service gave no session. Please try again.")
        return self._signed_in_of(session, user_agent=waiting.user_agent)

    def restore(self, cookie: str, *, user_agent: str = "") -> S:
        """Restore a sign-in from the text of a browser's cookie; tabs with the same cookie share one.

        Raises `errors.signed_out` when the session has ended, `errors.unreachable` when the service does not
        answer.
        """
        parsed = SessionCookie.parse(cookie)
        digest = _digest(parsed.token)
        with self._lock:
            one_at_a_time = self._restoring.setdefault(digest, threading.Lock())
        try:
            with one_at_a_time:
                me = self._by_digest(digest)
                if me is None:
                    return self._restore(parsed, digest, user_agent)
                me.receive_cookie(parsed)
                return me
        finally:
            with self._lock:
                self._restoring.pop(digest, None)

    def _restore(self, cookie: SessionCookie, digest: str, user_agent: str) -> S:
        try:
            response = self._clients.auth(user_agent).refresh_session(cookie.token)
        except AuthError as error:
            raise self._errors.from_refresh(error) from error
        session = session_of(response, self._errors)
        me = self._signed_in_of(session, cookie.rotation + 1, user_agent=user_agent)
        self._index(digest, me)
        return me

    def sign_out(self, me: S, *, everywhere: bool) -> None:
        """End this browser's sign-in, or all sign-ins of this person. In this process they end in any case.

        Raises `errors.unreachable` when the service does not answer; then other processes keep theirs for a
        while.
        """
        ended = {me, *(one for one in self._active() if everywhere and one.user_id == me.user_id)}
        try:
            self._revoke(me, "global" if everywhere else "local")
        finally:
            for one in ended:
                one.end()

    def end_sessions(self, session_ids: Collection[str]) -> None:
        """End the sign-ins of sessions that ended elsewhere (the `session_id` of tokens). Never blocks."""
        for one in self._active():
            if one.session_id in session_ids:
                one.end()

    def _revoke(self, me: S, scope: Literal["global", "local"]) -> None:
        try:
            self._clients.auth().admin.sign_out(me.access_token(), scope)
        except self._errors.signed_out:
            return
        except AuthError as error:
            raised = self._errors.from_auth(error)
            if isinstance(raised, self._errors.unreachable):
                raise raised from error
            _log.info("The session had already ended before signing out: %s", raised)

    def close(self) -> None:
        """Stop the thread that refreshes tokens."""
        self._closed = True
        self._wake.set()
        if self._refresher is not None:
            self._refresher.join()

    def _active(self) -> list[S]:
        with self._lock:
            return [one for one in self._all if not one.ended]

    def _by_digest(self, digest: str) -> S | None:
        with self._lock:
            now = time.time()
            gone = [key for key, (ref, until) in self._by_token.items() if until < now or ref() is None]
            for key in gone:
                del self._by_token[key]
            found = self._by_token.get(digest)
            me = found[0]() if found else None
        return None if me is None or me.ended else me

    def _index(self, digest: str, me: S, until: float | None = None) -> None:
        with self._lock:
            self._by_token[digest] = (
                weakref.ref(me),
                time.time() + REPLACED_TOKEN_LIFETIME if until is None else until,
            )

    def _signed_in_of(self, session: Session, rotation: int = 0, *, user_agent: str = "") -> S:
        """Return the one sign-in of this session, which may be known here by an older token."""
        session_id = claims_of(session.access_token).get("session_id")
        with self._lock:
            active = (one for one in self._all if session_id and not one.ended)
            known = next((one for one in active if one.session_id == session_id), None)
            me = known or self._make(session, rotation)
            me.user_agent = user_agent or me.user_agent
            self._all.add(me)
        if known is not None:
            # Another process has replaced its token.
            known.replace_session(session, rotation)
            return known
        self._follow_tokens(me)
        self._ensure_refresher()
        return me

    def _follow_tokens(self, me: S) -> None:
        """Index this sign-in by its current token while it lives, and by older ones for a while."""
        weak = weakref.ref(me)
        current = [_digest(me.refresh_token)]
        self._index(current[0], me, until=float("inf"))

        def rotated(_access_token: str) -> None:
            one = weak()
            if one is None:
                return
            self._index(current[0], one)
            current[0] = _digest(one.refresh_token)
            self._index(current[0], one, until=float("inf"))

        me.on_token(rotated)

    def _ensure_refresher(self) -> None:
        with self._lock:
            if self._refresher is None and not self._closed:
                self._refresher = start_daemon(_PLACE, self._refresh_until_closed)
        self._wake.set()

    def _refresh_until_closed(self) -> None:
        while not self._closed:
            pause = RETRY_PAUSE
            with FAULTS.contained(_PLACE):
                pause = self.refresh_due()
            self._wake.wait(pause)
            self._wake.clear()

    def refresh_due(self) -> float:
        """Refresh and check the sign-ins for which that is due; return the seconds until the next is due."""
        soonest = 60.0  # at the latest, because the clock may jump and the machine may sleep
        unreachable = False
        for me in self._active():
            try:
                if me.needs_browser_token():
                    # Renewed when somebody needs it: its tabs may all be with another process by now.
                    soonest = min(soonest, RETRY_PAUSE)
                    continue
                if me.refresh_due <= time.time():
                    me.renew_if_due()
                elif me.checked_at + CHECK_EVERY <= time.time() and not unreachable:
                    me.check()
            except self._errors.base as error:
                _log.info("A sign-in could not be refreshed: %s", error)
                # Skip the other checks: each would time out while expiring tokens wait to be refreshed.
                unreachable = unreachable or isinstance(error, self._errors.unreachable)
                soonest = min(soonest, RETRY_PAUSE)
                continue
            except Exception as error:
                # Whatever it was, the tokens of all others must stay fresh.
                FAULTS.record(_PLACE, error)
                soonest = min(soonest, RETRY_PAUSE)
                continue
            due = me.refresh_due if unreachable else min(me.refresh_due, me.checked_at + CHECK_EVERY)
            soonest = min(soonest, max(0.1, due - time.time()))
        return soonest


def _spelled(email: str) -> str:
    """Return an address as the Auth service keeps it: there is one spelling of it."""
    return email.strip().lower()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

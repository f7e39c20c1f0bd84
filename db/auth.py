"""Accounts: signing up, in and out, and keeping a sign-in alive.

Refresh tokens rotate, and using an old one revokes the whole family (GoTrue; only the direct parent of the
active token is forgiven). So a browser's session is refreshed in exactly one place per process: all its tabs
share one `SignedIn`, found again by the hash of any token of the family that was current in the last minutes.
What several processes of one browser do about each other's tokens is in `db.signed_in`.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import weakref
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from supabase_auth.errors import AuthError
from supabase_auth.types import Session, SignUpWithEmailAndPasswordCredentials

from db.clients import Clients
from db.errors import DatabaseError, SignedOut, Unreachable, from_auth
from db.kept import Kept
from db.signed_in import SignedIn, session_of
from db.tokens import claims_of

__all__ = ["Accounts", "ConfirmationNeeded", "SignedIn"]

log = logging.getLogger(__name__)

RETRY_PAUSE = 5.0
"""Seconds between tries while the sign-in service cannot be reached."""
CHECK_EVERY = 60.0
"""Seconds between two questions whether a session is still there: the longest that one which ended elsewhere
goes unnoticed where nobody tells (`end_sessions`)."""
REMEMBERED = 600.0
"""Seconds for which a rotated token still finds its session here, for tabs with an older cookie."""


@dataclass(frozen=True, slots=True)
class ConfirmationNeeded:
    """The account is made, but the project wants the address confirmed before the first sign-in."""

    email: str


class Accounts:
    """Every sign-in of this process, and the one thread that keeps them fresh."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        # Weak: a sign-in lives as long as a tab holds it. Nothing refreshes the tokens of people who left.
        self._live: weakref.WeakSet[SignedIn] = weakref.WeakSet()
        self._by_token: dict[str, tuple[weakref.ref[SignedIn], float]] = {}
        self._restoring: dict[str, threading.Lock] = {}
        self._wake = threading.Event()
        self._closed = False
        self._refresher: threading.Thread | None = None

    def sign_up(self, email: str, password: str, display_name: str) -> SignedIn | ConfirmationNeeded:
        """Make an account, and sign in unless the project wants the address confirmed first."""
        credentials: SignUpWithEmailAndPasswordCredentials = {
            "email": email.strip(),
            "password": password,
            "options": {"data": {"display_name": display_name}},
        }
        try:
            response = self._clients.auth().sign_up(credentials)
        except AuthError as error:
            raise from_auth(error) from error
        if response.session is None:
            return ConfirmationNeeded(email.strip())
        return self._adopt(response.session)

    def sign_in(self, email: str, password: str) -> SignedIn:
        """Sign in with a password."""
        try:
            response = self._clients.auth().sign_in_with_password(
                {"email": email.strip(), "password": password}
            )
        except AuthError as error:
            raise from_auth(error) from error
        return self._adopt(session_of(response))

    def restore(self, cookie: str) -> SignedIn:
        """Continue the sign-in that a browser kept; tabs that ask at the same time get the same one.

        Raises `SignedOut` when it has ended, `Unreachable` when that cannot be found out now.
        """
        kept = Kept.parse(cookie)
        digest = _digest(kept.token)
        with self._lock:
            turn = self._restoring.setdefault(digest, threading.Lock())
        try:
            with turn:
                me = self._known(digest)
                if me is None:
                    return self._restore(kept, digest)
                me.hear(kept)
                return me
        finally:
            with self._lock:
                self._restoring.pop(digest, None)

    def _restore(self, kept: Kept, digest: str) -> SignedIn:
        try:
            response = self._clients.auth().refresh_session(kept.token)
        except AuthError as error:
            raise from_auth(error) from error
        me = self._adopt(session_of(response), kept.turn + 1)
        self._remember(digest, me)
        return me

    def sign_out(self, me: SignedIn, *, everywhere: bool) -> None:
        """End this browser's sign-in, or all of this person's; here at once, whatever the service says.

        Raises `Unreachable` when the service could not be told, so that other processes go on for a while.
        """
        ended = {me, *(one for one in self._sign_ins() if everywhere and one.user_id == me.user_id)}
        try:
            self._revoke(me, "global" if everywhere else "local")
        finally:
            for one in ended:
                one.end()

    def end_sessions(self, session_ids: Collection[str]) -> None:
        """End the sign-ins of these sessions (`session_id` of tokens), which ended elsewhere. Never waits."""
        for one in self._sign_ins():
            if one.claims.get("session_id") in session_ids:
                one.end()

    def _revoke(self, me: SignedIn, scope: Literal["global", "local"]) -> None:
        try:
            self._clients.auth().admin.sign_out(me.access_token(), scope)
        except SignedOut:
            return
        except AuthError as error:
            raised = from_auth(error)
            if isinstance(raised, Unreachable):
                raise raised from error
            log.info("Signing out of a session that had ended: %s", raised)

    def close(self) -> None:
        """Stop the refresher."""
        self._closed = True
        self._wake.set()
        if self._refresher is not None:
            self._refresher.join()

    def _sign_ins(self) -> list[SignedIn]:
        with self._lock:
            return [one for one in self._live if not one.ended]

    def _known(self, digest: str) -> SignedIn | None:
        with self._lock:
            now = time.time()
            gone = [key for key, (ref, until) in self._by_token.items() if until < now or ref() is None]
            for key in gone:
                del self._by_token[key]
            found = self._by_token.get(digest)
            me = found[0]() if found else None
        return None if me is None or me.ended else me

    def _remember(self, digest: str, me: SignedIn, until: float | None = None) -> None:
        with self._lock:
            self._by_token[digest] = (weakref.ref(me), time.time() + REMEMBERED if until is None else until)

    def _adopt(self, session: Session, turn: int = 0) -> SignedIn:
        """Return the sign-in of this session, which may be known by another token of its family."""
        family = claims_of(session.access_token).get("session_id")
        with self._lock:
            living = (one for one in self._live if family is not None and not one.ended)
            known = next((one for one in living if one.claims.get("session_id") == family), None)
            me = known or SignedIn(self._clients, session, turn)
            self._live.add(me)
        if known is not None:
            # Its own token is old by now: another process has replaced it.
            known.take_over(session, turn)
            return known
        self._follow_tokens(me)
        self._ensure_refresher()
        return me

    def _follow_tokens(self, me: SignedIn) -> None:
        """Find this sign-in by its current token for as long as it lives, and by older ones for a while."""
        weak = weakref.ref(me)
        current = [_digest(me.refresh_token)]
        self._remember(current[0], me, until=float("inf"))

        def rotated(_access_token: str) -> None:
            one = weak()
            if one is None:
                return
            self._remember(current[0], one)
            current[0] = _digest(one.refresh_token)
            self._remember(current[0], one, until=float("inf"))

        me.on_token(rotated)

    def _ensure_refresher(self) -> None:
        with self._lock:
            if self._refresher is None and not self._closed:
                self._refresher = threading.Thread(
                    target=self._refresh_for_ever, name="token-refresher", daemon=True
                )
                self._refresher.start()
        self._wake.set()

    def _refresh_for_ever(self) -> None:
        while not self._closed:
            self._wake.wait(self._refresh_due())
            self._wake.clear()

    def _refresh_due(self) -> float:
        """Refresh what is due; return the seconds until there is something to do."""
        soonest = (
            60.0  # looked at again now and then, because the clock may jump or the machine may have slept
        )
        silent = False
        for me in self._sign_ins():
            try:
                if me.doubt():
                    # Left to whoever needs it: nobody may, whose tabs have long gone to another process.
                    soonest = min(soonest, RETRY_PAUSE)
                    continue
                if me.refresh_due <= time.time():
                    me.renew_if_due()
                elif me.checked_at + CHECK_EVERY <= time.time() and not silent:
                    me.check()
            except DatabaseError as error:
                log.info("A sign-in could not be refreshed: %s", error)
                # Nobody waits for a check; those whose tokens run out should not have to wait for many.
                silent = silent or isinstance(error, Unreachable)
                soonest = min(soonest, RETRY_PAUSE)
                continue
            due = me.refresh_due if silent else min(me.refresh_due, me.checked_at + CHECK_EVERY)
            soonest = min(soonest, max(0.1, due - time.time()))
        return soonest


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

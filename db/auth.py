"""Accounts: signing up, in and out, and keeping a sign-in alive.

Refresh tokens rotate, and using an old one revokes the whole family (GoTrue; only the direct parent of the
active token is forgiven). So a browser's session is refreshed in exactly one place per process: all its tabs
share one `SignedIn`, found again by the hash of any token of the family that was current in the last minutes.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import weakref
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeVar

from supabase_auth.errors import AuthError
from supabase_auth.types import AuthResponse, Session, SignUpWithEmailAndPasswordCredentials

from db.clients import Clients
from db.errors import DatabaseError, SignedOut, SignInError, Unreachable, from_auth
from db.tokens import claims_of

log = logging.getLogger(__name__)

F = TypeVar("F")

REFRESH_MARGIN = 90.0
"""Seconds before its end at which an access token is replaced."""
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


class SignedIn:
    """One signed-in browser: a person's tokens, always fresh, shared by all its tabs. Thread-safe."""

    def __init__(self, clients: Clients, session: Session) -> None:
        self.clients = clients
        self._lock = threading.RLock()
        # Never held while waiting for an answer: ending must not have to wait for a renewal.
        self._state_lock = threading.Lock()
        self._token_callbacks: list[Callable[[str], object]] = []
        self._end_callbacks: list[Callable[[], None]] = []
        self._ended = False
        self._renewed_at = 0.0
        self.checked_at = time.time()
        """When the service last said, or was last asked, whether this session is still there."""
        self.user_id: str = session.user.id
        self.email: str = session.user.email or ""
        self._take(session)

    def _take(self, session: Session) -> None:
        self._session = session
        # The server's clock may differ from ours: count from now.
        self._expires_at = time.time() + (session.expires_in or 3600)
        self._claims: Mapping[str, object] = MappingProxyType(claims_of(session.access_token))

    @property
    def claims(self) -> Mapping[str, object]:
        """The claims of the current access token."""
        return self._claims

    @property
    def ended(self) -> bool:
        """Whether this sign-in is over, for whatever reason."""
        return self._ended

    @property
    def refresh_token(self) -> str:
        """What the browser keeps, to be signed in again after a reload."""
        return self._session.refresh_token

    @property
    def refresh_due(self) -> float:
        """Unix time at which the tokens should be replaced."""
        life = float(self._session.expires_in or 3600)
        return self._expires_at - min(REFRESH_MARGIN, life / 3)

    def access_token(self) -> str:
        """Return a token that is good for a while yet.

        Raises `SignedOut` when the sign-in is over, `Unreachable` when an expired token cannot be replaced.
        """
        if self._ended:
            raise SignedOut
        if time.time() >= self.refresh_due:
            self._refresh_or_keep()
        return self._session.access_token

    def renew(self, seen: str | None = None) -> None:
        """Replace the tokens now, unless another thread has replaced the token that was `seen` already.

        Raises `SignedOut` when the service says that the session is over, `Unreachable` when it says nothing.
        """
        with self._lock:
            if self._ended:
                raise SignedOut
            if seen is not None and self._replaced_since(seen):
                return
            try:
                response = self.clients.auth().refresh_session(self._session.refresh_token)
            except AuthError as error:
                raised = from_auth(error)
                if isinstance(raised, SignedOut):
                    self.end()
                raise raised from error
            self._take(_session_of(response))
            self._renewed_at = self.checked_at = time.time()
            with self._state_lock:
                callbacks = list(self._token_callbacks)
        for callback in callbacks:
            _call(callback, self._session.access_token)

    def renew_if_due(self) -> None:
        """Replace the tokens if that is due; of many threads who ask, one does. Raises as `renew` does."""
        with self._lock:
            if time.time() >= self.refresh_due:
                self.renew()

    def check(self) -> None:
        """Ask whether the session is still there, and end this sign-in if it is not.

        Raises `SignedOut` when it is not, `Unreachable` when the service says nothing.
        """
        self.checked_at = time.time()
        token = self._session.access_token
        try:
            self.clients.auth().get_user(token)
        except AuthError as error:
            raised = from_auth(error)
            if not isinstance(raised, SignedOut):
                raise raised from error
            # An access token may be refused for other reasons, such as another clock. This settles it.
            self.renew(token)

    def _replaced_since(self, seen: str) -> bool:
        # Two tokens of the same second are the same text.
        return seen != self._session.access_token or time.time() - self._renewed_at < 1.0

    def _refresh_or_keep(self) -> None:
        """Refresh ahead of time if the service answers; a token that still lives is good enough otherwise."""
        try:
            self.renew_if_due()
        except Unreachable:
            if time.time() >= self._expires_at:
                raise

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call back with every new access token; returns how to stop that."""
        return self._register(self._token_callbacks, callback)

    def on_end(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back once when this sign-in ends; returns how to stop that."""
        return self._register(self._end_callbacks, callback)

    def _register(self, callbacks: list[F], callback: F) -> Callable[[], None]:
        def unsubscribe() -> None:
            with self._state_lock:
                if callback in callbacks:
                    callbacks.remove(callback)

        with self._state_lock:
            callbacks.append(callback)
        return unsubscribe

    def end(self) -> None:
        """Forget the tokens and tell everybody who uses this sign-in."""
        with self._state_lock:
            if self._ended:
                return
            self._ended = True
            callbacks = list(self._end_callbacks)
        for callback in callbacks:
            _call(callback)


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
        return self._adopt(_session_of(response))

    def restore(self, refresh_token: str) -> SignedIn:
        """Continue the sign-in that a browser kept; tabs that ask at the same time get the same one.

        Raises `SignedOut` when it has ended, `Unreachable` when that cannot be found out now.
        """
        digest = _digest(refresh_token)
        with self._lock:
            turn = self._restoring.setdefault(digest, threading.Lock())
        try:
            with turn:
                return self._known(digest) or self._restore(refresh_token, digest)
        finally:
            with self._lock:
                self._restoring.pop(digest, None)

    def _restore(self, refresh_token: str, digest: str) -> SignedIn:
        try:
            response = self._clients.auth().refresh_session(refresh_token)
        except AuthError as error:
            raise from_auth(error) from error
        me = self._adopt(_session_of(response))
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

    def _adopt(self, session: Session) -> SignedIn:
        """Return the sign-in of this session, which may be known by another token of its family."""
        family = claims_of(session.access_token).get("session_id")
        with self._lock:
            for one in self._live:
                if family is not None and not one.ended and one.claims.get("session_id") == family:
                    return one
            me = SignedIn(self._clients, session)
            self._live.add(me)
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


def _session_of(response: AuthResponse) -> Session:
    if response.session is None:
        raise SignInError("The sign-in service gave no session. Please try again.")
    return response.session


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _call(callback: Callable[..., object], *arguments: object) -> None:
    """Run somebody else's callback; its failure must not end a sign-in."""
    try:
        callback(*arguments)
    except Exception:
        log.exception("A callback of a sign-in failed")

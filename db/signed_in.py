"""One signed-in browser: its tokens, kept fresh, whichever process of the app replaced them last.

Several processes may serve one browser, and each keeps the tokens fresh by itself. That goes well as long as
none presents a token that has been replaced twice: the service would take it for stolen and revoke the whole
family. So the browser, to which all of them write, tells each what it keeps: the newest of it is presented,
and a process that was away for too long to know presents nothing before the browser could speak.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from supabase_auth.errors import AuthError
from supabase_auth.types import AuthResponse, Session

from db.clients import Clients
from db.errors import SignedOut, SignInError, Unreachable, from_auth
from db.kept import Kept
from db.tokens import claims_of

log = logging.getLogger(__name__)

F = TypeVar("F")

REFRESH_MARGIN = 90.0
"""Seconds before its end at which an access token is replaced."""
BROWSER_SPEAKS = 20.0
"""Seconds for a browser to tell what it keeps, after tokens were found to have run out."""


class SignedIn:
    """One signed-in browser: a person's tokens, always fresh, shared by all its tabs. Thread-safe."""

    def __init__(self, clients: Clients, session: Session, turn: int = 0) -> None:
        self.clients = clients
        self._lock = threading.RLock()
        # Never held while waiting for an answer: ending must not have to wait for a renewal.
        self._state_lock = threading.Lock()
        self._token_callbacks: list[Callable[[str], object]] = []
        self._end_callbacks: list[Callable[[], None]] = []
        self._doubt_callbacks: list[Callable[[], None]] = []
        self._ended = False
        self._renewed_at = 0.0
        self.checked_at = time.time()
        """When the service last said, or was last asked, whether this session is still there."""
        self.user_id: str = session.user.id
        self.email: str = session.user.email or ""
        self._heard: Kept | None = None
        self._take(session, turn)

    def _take(self, session: Session, turn: int) -> None:
        self._session, self._turn = session, turn
        self._doubted_at, self._sure = 0.0, False
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
        """The token that brings the next ones."""
        return self._session.refresh_token

    @property
    def kept(self) -> Kept:
        """What the browser keeps, to be signed in again after a reload: the newest that is known of."""
        return self._heard or Kept(self._session.refresh_token, _session_id(self._session), self._turn)

    def doubt(self) -> str:
        """Return a text while the tokens have run out and it is not known how often others replaced them.

        It is another one each time, and with it a browser is asked (`hear`). Otherwise it is empty.
        """
        if self._ended or self._sure or time.time() < self._expires_at:
            return ""
        with self._state_lock:
            callbacks = [] if self._doubted_at else list(self._doubt_callbacks)
            self._doubted_at = self._doubted_at or time.time()
            doubt = f"{self._doubted_at}"
        for callback in callbacks:
            call_safely(callback)
        return doubt

    def hear(self, kept: Kept) -> None:
        """Take note of what a browser of this sign-in keeps, which another process may have written."""
        if kept.session_id not in ("", _session_id(self._session)):
            return  # somebody else has signed in there meanwhile
        with self._state_lock:
            if kept.newer_than(self.kept):
                self._heard = kept
            self._sure = self._sure or time.time() >= self._expires_at

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
            if self.doubt() and time.time() < self._doubted_at + BROWSER_SPEAKS:
                raise Unreachable(perhaps_written=False)
            try:
                session, turn = self._present_heard() or self._present_own()
            except AuthError as error:
                raised = from_auth(error)
                if isinstance(raised, SignedOut):
                    self.end()
                raise raised from error
            self._renewed(session, turn)
        self._tell()

    def take_over(self, session: Session, turn: int) -> None:
        """Go on with the tokens that the service has just given for this session."""
        with self._lock:
            self._renewed(session, max(turn, self._turn))
        self._tell()

    def _present_own(self) -> tuple[Session, int]:
        response = self.clients.auth().refresh_session(self._session.refresh_token)
        return session_of(response), self._turn + 1

    def _present_heard(self) -> tuple[Session, int] | None:
        """Present what the browser keeps; None if that is nothing new, or not good."""
        heard = self._heard
        if heard is None:
            return None
        try:
            session = session_of(self.clients.auth().refresh_session(heard.token))
        except AuthError as error:
            if isinstance(from_auth(error), Unreachable):
                raise
            log.info("What the browser keeps is not good: %s", error)
        else:
            if _session_id(session) == _session_id(self._session):
                return session, heard.turn + 1
        with self._state_lock:
            self._heard = None
        return None

    def _renewed(self, session: Session, turn: int) -> None:
        with self._state_lock:
            self._take(session, turn)
            if self._heard is not None and self._heard.turn <= turn:
                self._heard = None
        self._renewed_at = self.checked_at = time.time()

    def _tell(self) -> None:
        with self._state_lock:
            callbacks = list(self._token_callbacks)
        for callback in callbacks:
            call_safely(callback, self._session.access_token)

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

    def on_doubt(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back each time a browser should be asked; returns how to stop that."""
        return self._register(self._doubt_callbacks, callback)

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
            call_safely(callback)


def _session_id(session: Session) -> str:
    return str(claims_of(session.access_token).get("session_id") or "")


def session_of(response: AuthResponse) -> Session:
    """Return the session that was asked for."""
    if response.session is None:
        raise SignInError("The sign-in service gave no session. Please try again.")
    return response.session


def call_safely(callback: Callable[..., object], *arguments: object) -> None:
    """Run somebody else's callback; its failure must not end a sign-in."""
    try:
        callback(*arguments)
    except Exception:
        log.exception("A callback of a sign-in failed")

"""One signed-in browser: its tokens, kept fresh together with the other processes that serve the browser.

Several processes may serve one browser, and each refreshes the tokens by itself. The Auth service revokes the
whole session when a token is presented that has been replaced twice. So every process writes its newest token
to the browser's cookie, and takes a newer one from there. A process that was suspended for so long that its
tokens expired waits for the browser's cookie before it presents a token.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthError
from supabase_auth.types import AuthResponse, Session

from livetables.auth.cookie import SessionCookie
from livetables.auth.errors import AuthErrors
from livetables.auth.jwt import claims_of

_log = logging.getLogger(__name__)

F = TypeVar("F")

REFRESH_MARGIN = 90.0
"""Seconds before its expiry at which an access token is replaced."""

BROWSER_TIMEOUT = 20.0
"""Seconds to wait for a browser's cookie after the tokens were found to have expired."""


class AuthClients(Protocol):
    """Makes clients of a project's Auth service, which keep no session. Thread-safe."""

    def auth(self, user_agent: str = "") -> SyncGoTrueClient:
        """Return a client that sends this `User-Agent`, by which people know their devices."""


C = TypeVar("C", bound=AuthClients)


class SignedIn(Generic[C]):
    """One signed-in browser: a person's tokens, kept fresh and shared by all its tabs. Thread-safe.

    Its methods raise `errors`, which the app chooses.
    """

    def __init__(self, clients: C, errors: AuthErrors, session: Session, rotation: int = 0) -> None:
        self.clients = clients
        self._errors = errors
        self._lock = threading.RLock()
        # Never held while waiting for an answer: `end` must not wait for a refresh.
        self._state_lock = threading.Lock()
        self._token_callbacks: list[Callable[[str], object]] = []
        self._end_callbacks: list[Callable[[], None]] = []
        self._browser_callbacks: list[Callable[[], None]] = []
        self._ended = False
        self._renewed_at = 0.0
        self.checked_at = time.time()
        """When the service was last asked whether this session still exists."""
        self.user_id: str = session.user.id
        self.email: str = session.user.email or ""
        self.user_agent = ""
        """The browser as it names itself; the Auth service keeps it with the session."""
        self._browser_cookie: SessionCookie | None = None
        self._set_session(session, rotation)

    def _set_session(self, session: Session, rotation: int) -> None:
        self._session, self._rotation = session, rotation
        self._browser_asked_at, self._browser_answered = 0.0, False
        # The server's clock may differ from ours, so count from now.
        self._expires_at = time.time() + (session.expires_in or 3600)
        self._claims: Mapping[str, object] = MappingProxyType(claims_of(session.access_token))

    @property
    def claims(self) -> Mapping[str, object]:
        """The claims of the current access token."""
        return self._claims

    @property
    def session_id(self) -> str:
        """The id of the session at the Auth service; empty when the token does not say."""
        return str(self._claims.get("session_id") or "")

    @property
    def ended(self) -> bool:
        """Whether this sign-in has ended, for whatever reason."""
        return self._ended

    @property
    def refresh_token(self) -> str:
        """The current refresh token of this process."""
        return self._session.refresh_token

    @property
    def cookie(self) -> SessionCookie:
        """The cookie that the browser should hold: the newest token that this process knows of."""
        return self._browser_cookie or SessionCookie(
            self._session.refresh_token, self.session_id, self._rotation
        )

    def needs_browser_token(self) -> bool:
        """Whether the tokens expired while other processes may have replaced them.

        Then the browser is to be asked for its cookie (`browser_token_request`, `receive_cookie`). The first
        call that finds this runs the callbacks of `on_browser_token_needed`.
        """
        if self._ended or self._browser_answered or time.time() < self._expires_at:
            return False
        with self._state_lock:
            callbacks = [] if self._browser_asked_at else list(self._browser_callbacks)
            self._browser_asked_at = self._browser_asked_at or time.time()
        for callback in callbacks:
            call_safely(callback)
        return True

    def browser_token_request(self) -> str:
        """Return a text with which to ask the browser for its cookie; empty when it need not be asked.

        Each request has a text of its own, so that a browser answers each once.
        """
        return f"{self._browser_asked_at}" if self.needs_browser_token() else ""

    def receive_cookie(self, cookie: SessionCookie) -> None:
        """Take in the cookie that a browser of this sign-in holds. Another process may have written it."""
        if cookie.session_id not in ("", self.session_id):
            return  # somebody else has signed in there since
        with self._state_lock:
            if cookie.newer_than(self.cookie):
                self._browser_cookie = cookie
            self._browser_answered = self._browser_answered or time.time() >= self._expires_at

    @property
    def refresh_due(self) -> float:
        """Unix time at which the tokens should be replaced."""
        life = float(self._session.expires_in or 3600)
        return self._expires_at - min(REFRESH_MARGIN, life / 3)

    def access_token(self) -> str:
        """Return an access token that is valid for a while.

        Raises `errors.signed_out` when the sign-in has ended, `errors.unreachable` when an expired token
        cannot be replaced now.
        """
        if self._ended:
            raise self._errors.signed_out
        if time.time() >= self.refresh_due:
            self._renew_if_reachable()
        return self._session.access_token

    def renew(self, seen: str | None = None) -> None:
        """Replace the tokens now, unless another thread has already replaced the access token `seen`.

        Raises `errors.signed_out` when the session has ended, `errors.unreachable` when the service does not
        answer, or when the browser's cookie is still being waited for.
        """
        with self._lock:
            if self._ended:
                raise self._errors.signed_out
            if seen is not None and self._was_replaced(seen):
                return
            if self.needs_browser_token() and time.time() < self._browser_asked_at + BROWSER_TIMEOUT:
                raise self._errors.not_sent()
            try:
                session, rotation = self._refresh_with_browser_token() or self._refresh_with_own_token()
            except AuthError as error:
                raised = self._errors.from_refresh(error)
                if isinstance(raised, self._errors.signed_out):
                    self.end()
                raise raised from error
            self._store_renewed(session, rotation)
        self._notify_new_token()

    def replace_session(self, session: Session, rotation: int) -> None:
        """Continue with newer tokens of the same session, as a refresh elsewhere has returned them."""
        with self._lock:
            self._store_renewed(session, max(rotation, self._rotation))
        self._notify_new_token()

    def _refresh_with_own_token(self) -> tuple[Session, int]:
        response = self.clients.auth(self.user_agent).refresh_session(self._session.refresh_token)
        return session_of(response, self._errors), self._rotation + 1

    def _refresh_with_browser_token(self) -> tuple[Session, int] | None:
        """Refresh with the browser's newer token; None when there is none, or when it is not valid."""
        cookie = self._browser_cookie
        if cookie is None:
            return None
        try:
            session = session_of(
                self.clients.auth(self.user_agent).refresh_session(cookie.token), self._errors
            )
        except AuthError as error:
            if isinstance(self._errors.from_refresh(error), self._errors.unreachable):
                raise
            _log.info("The token in the browser's cookie is not valid: %s", error)
        else:
            if _session_id(session) == self.session_id:
                return session, cookie.rotation + 1
        with self._state_lock:
            self._browser_cookie = None
        return None

    def _store_renewed(self, session: Session, rotation: int) -> None:
        with self._state_lock:
            self._set_session(session, rotation)
            if self._browser_cookie is not None and self._browser_cookie.rotation <= rotation:
                self._browser_cookie = None
        self._renewed_at = self.checked_at = time.time()

    def _notify_new_token(self) -> None:
        with self._state_lock:
            callbacks = list(self._token_callbacks)
        for callback in callbacks:
            call_safely(callback, self._session.access_token)

    def renew_if_due(self) -> None:
        """Replace the tokens if that is due; of several threads, one does it. Raises as `renew` does."""
        with self._lock:
            if time.time() >= self.refresh_due:
                self.renew()

    def check(self) -> None:
        """Ask the service whether the session still exists, and end this sign-in if it does not.

        Raises `errors.signed_out` when it does not, `errors.unreachable` when the service does not answer.
        """
        self.checked_at = time.time()
        token = self._session.access_token
        try:
            self.clients.auth().get_user(token)
        except AuthError as error:
            raised = self._errors.from_refresh(error)
            if not isinstance(raised, self._errors.signed_out):
                raise raised from error
            # The service may refuse an access token for other reasons, such as its clock. A refresh tells.
            self.renew(token)

    def _was_replaced(self, seen: str) -> bool:
        # Two access tokens that were issued in the same second are equal.
        return seen != self._session.access_token or time.time() - self._renewed_at < 1.0

    def _renew_if_reachable(self) -> None:
        """Renew the tokens if the service answers; if not, keep a token that has not expired."""
        try:
            self.renew_if_due()
        except self._errors.unreachable:
            if time.time() >= self._expires_at:
                raise

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call back with every new access token; return a function that stops it."""
        return self._register(self._token_callbacks, callback)

    def on_end(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back once when this sign-in ends; return a function that stops it."""
        return self._register(self._end_callbacks, callback)

    def on_browser_token_needed(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back each time a browser should be asked for its cookie; return a function that stops it."""
        return self._register(self._browser_callbacks, callback)

    def _register(self, callbacks: list[F], callback: F) -> Callable[[], None]:
        def unsubscribe() -> None:
            with self._state_lock:
                if callback in callbacks:
                    callbacks.remove(callback)

        with self._state_lock:
            callbacks.append(callback)
        return unsubscribe

    def end(self) -> None:
        """End this sign-in in this process, and run the callbacks of `on_end`."""
        with self._state_lock:
            if self._ended:
                return
            self._ended = True
            callbacks = list(self._end_callbacks)
        for callback in callbacks:
            call_safely(callback)


def _session_id(session: Session) -> str:
    return str(claims_of(session.access_token).get("session_id") or "")


def session_of(response: AuthResponse, errors: AuthErrors) -> Session:
    """Return the session of an answer. Raises `errors.no_session` when it has none."""
    if response.session is None:
        raise errors.no_session("The sign-in service gave no session. Please try again.")
    return response.session


def call_safely(callback: Callable[..., object], *arguments: object) -> None:
    """Run a callback and log its exception, because a failing callback must not end a sign-in."""
    try:
        callback(*arguments)
    except Exception:
        _log.exception("A callback of a sign-in failed")

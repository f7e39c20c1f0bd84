"""Supabase for the rating core: sign-in of raters, live events, files, edge functions."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

import httpx
from realtime import RealtimePostgresChangesListenEvent
from storage3.types import FileOptions
from supabase import Client, ClientOptions, create_client
from supabase_auth.types import AuthResponse

from db.background import contained, start_daemon
from ratings.errors import BadDatabaseUrlError, NoSupabaseError, NotFoundError
from ratings.events import Event
from ratings.listening import Changes, Listening, PrivateChannel, Source

_log: Final = logging.getLogger(__name__)

_PLACE: Final = "ratings-broadcast"
_MOST_QUEUED: Final = 1000
_TIMEOUT: Final = 10.0
_FILE_TIMEOUT: Final = 60.0
"""Seconds."""

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SupabaseSettings:
    """The URL and keys of a project. Only programs that broadcast need the service key."""

    url: str
    key: str = field(repr=False)
    service_key: str | None = field(default=None, repr=False)


def supabase_settings(values: Mapping[str, str]) -> SupabaseSettings | None:
    """Read `SUPABASE_URL`, `SUPABASE_KEY` and `SUPABASE_SERVICE_KEY`; return None if there is no Supabase.

    Raises `BadDatabaseUrlError` if only one of URL and key is set.
    """
    url, key = values.get("SUPABASE_URL", "").strip().rstrip("/"), values.get("SUPABASE_KEY", "").strip()
    if not url and not key:
        return None
    if not url or not key:
        raise BadDatabaseUrlError(
            "Set both SUPABASE_URL and SUPABASE_KEY, or neither to go without Supabase."
        )
    return SupabaseSettings(url, key, values.get("SUPABASE_SERVICE_KEY", "").strip() or None)


class SupabaseBridge:
    """One project, and the person who is signed in to it.

    Without settings it is not available: `publish` does nothing then, and all other methods raise
    `NoSupabaseError`. Otherwise they raise the errors of Supabase's clients (`AuthError`, `StorageException`,
    `FunctionsError`, httpx's errors).
    """

    def __init__(self, settings: SupabaseSettings | None) -> None:
        self._settings = settings
        self._client_made: Client | None = None
        self._http: Final = httpx.Client(timeout=_FILE_TIMEOUT, follow_redirects=True)
        self._queue: Final[queue.Queue[Event | None]] = queue.Queue(_MOST_QUEUED)
        self._sender: threading.Thread | None = None
        self._lock: Final = threading.Lock()

    def is_available(self) -> bool:
        """Return whether a project is set up. It may be unreachable at the moment."""
        return self._settings is not None

    def close(self) -> None:
        """Send the queued events and close the connections."""
        if self._sender is not None:
            self._queue.put(None)
            self._sender.join(_TIMEOUT)
        self._http.close()

    # Raters

    def sign_up_rater(self, email: str, password: str, metadata: Mapping[str, str]) -> AuthResponse:
        """Create an account. `metadata` has rater_id, name, tenant_id, and a closed tenant's invite_code.

        The database decides whether that admits them to the tenant. Raises supabase-py's `AuthError`.
        """
        data = {**metadata, "display_name": metadata.get("name", "")}
        return self.client.auth.sign_up({"email": email, "password": password, "options": {"data": data}})

    def sign_in_rater(self, email: str, password: str) -> AuthResponse:
        """Sign in. `session.access_token` of the answer is the JWT, with tenant_id and rater_id.

        Raises supabase-py's `AuthError`.
        """
        return self.client.auth.sign_in_with_password({"email": email, "password": password})

    def access_token(self) -> str | None:
        """Return the fresh access token of the person who is signed in; None if nobody is."""
        session = self.client.auth.get_session()
        return session.access_token if session else None

    # Files and functions

    def upload_model_artifact(
        self, bucket: str, path: str, content: bytes, content_type: str = "application/octet-stream"
    ) -> str:
        """Upload a file to `path`, which begins with the tenant's id, and return the path."""
        options: FileOptions = {"content-type": content_type}
        self.client.storage.from_(bucket).upload(path, content, options)
        return path

    def download_model_artifact(self, bucket: str, path: str) -> bytes:
        """Return the content of a file."""
        return self.client.storage.from_(bucket).download(path)

    def get_public_url(self, bucket: str, path: str) -> str:
        """Return the address of a file. It works only for public buckets."""
        return self.client.storage.from_(bucket).get_public_url(path)

    def get_signed_url(self, bucket: str, path: str, seconds: int) -> str:
        """Return an address of a file that is valid for these seconds. Raises `NotFoundError`."""
        address = self.client.storage.from_(bucket).create_signed_url(path, seconds)["signedURL"]
        if address is None:
            raise NotFoundError
        return address

    def invoke_edge_function(self, name: str, body: Mapping[str, object]) -> object:
        """Call an edge function with a JSON body and return its JSON answer."""
        answer = self.client.functions.invoke(name, {"body": dict(body), "responseType": "json"})
        return cast("object", answer)

    # Live events

    def publish(self, event: Event) -> None:
        """Broadcast an event in the tenant's private channel, in the background.

        Does nothing without the service key. An outage is logged. Events beyond a full queue are dropped,
        which is harmless because listeners also poll.
        """
        if self._settings is None or self._settings.service_key is None:
            return
        self._start_sender()
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            _log.warning("Too many rating events are waiting for Realtime: one is dropped")

    def listen(
        self,
        tenant_id: str,
        on_row: Callable[[Row], None],
        on_live: Callable[[bool], None] = lambda _: None,
        *,
        brand_id: str | None = None,
    ) -> Listening:
        """Listen to the tenant's broadcasts as the person who is signed in.

        `on_row` receives each payload; `on_live` is called when the connection is established or lost.
        """
        return self._listening([PrivateChannel(_channel(tenant_id, brand_id))], on_row, on_live)

    def listen_to_tables(
        self, on_row: Callable[[Row], None], on_live: Callable[[bool], None] = lambda _: None
    ) -> Listening:
        """Listen to the changes of tasks and raters that the person who is signed in may see."""
        every = RealtimePostgresChangesListenEvent.All
        return self._listening(
            [Changes("rating_tasks", every), Changes("rater_profiles", every)], on_row, on_live
        )

    def subscribe_to_new_tasks(
        self, callback: Callable[[Row], None], on_live: Callable[[bool], None] = lambda _: None
    ) -> Listening:
        """Listen to new rows of `rating_tasks` in this project that the person who is signed in may see.

        `callback` receives the row, with its id also as `task_id`.
        """
        source = Changes("rating_tasks", RealtimePostgresChangesListenEvent.Insert)
        return self._listening([source], lambda row: callback({**row, "task_id": row["id"]}), on_live)

    def subscribe_to_rater_stats(self, rater_id: str, callback: Callable[[Row], None]) -> Listening:
        """Listen to the changes of a rater's profile (`total_judgments`, ...), as a member of the tenant."""
        source = Changes(
            "rater_profiles", RealtimePostgresChangesListenEvent.Update, f"rater_id=eq.{rater_id}"
        )
        return self._listening([source], callback, lambda _: None)

    @property
    def client(self) -> Client:
        """Supabase's own client, signed in as the rater, for what this class does not offer.

        Raises `NoSupabaseError`.
        """
        if self._settings is None:
            raise NoSupabaseError
        with self._lock:
            if self._client_made is None:
                options = ClientOptions(
                    auto_refresh_token=False, persist_session=False, httpx_client=self._http
                )
                self._client_made = create_client(self._settings.url, self._settings.key, options)
            return self._client_made

    def _listening(
        self, sources: list[Source], on_row: Callable[[Row], None], on_live: Callable[[bool], None]
    ) -> Listening:
        if self._settings is None:
            raise NoSupabaseError
        return Listening(self._settings.url, self._settings.key, self.access_token, sources, on_row, on_live)

    def _start_sender(self) -> None:
        with self._lock:
            if self._sender is None or not self._sender.is_alive():
                self._sender = start_daemon(_PLACE, self._send_all)

    def _send_all(self) -> None:
        assert self._settings is not None
        key = self._settings.service_key or ""
        headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=self._settings.url, headers=headers, timeout=_TIMEOUT) as http:
            while (event := self._queue.get()) is not None:
                with contained(_PLACE):
                    self._send(http, event)

    def _send(self, http: httpx.Client, event: Event) -> None:
        channels = {_channel(event.tenant_id, None), _channel(event.tenant_id, event.brand_id)}
        messages = [
            {"topic": channel, "event": event.kind.value, "payload": event.payload(), "private": True}
            for channel in sorted(channels)
        ]
        try:
            http.post("/realtime/v1/api/broadcast", json={"messages": messages}).raise_for_status()
        except httpx.HTTPError as error:
            _log.warning("A rating event could not be broadcast: %r", error)


def _channel(tenant_id: str, brand_id: str | None) -> str:
    return f"ratings:{tenant_id}:{brand_id}" if brand_id else f"ratings:{tenant_id}"


_current: SupabaseBridge | None = None
_current_lock: Final = threading.Lock()


def init_supabase(settings: SupabaseSettings | None) -> SupabaseBridge:
    """Make the bridge that `get_supabase()` returns from now on. Without settings it is not available."""
    global _current
    with _current_lock:
        if _current is not None:
            _current.close()
        _current = SupabaseBridge(settings)
        return _current


def get_supabase() -> SupabaseBridge:
    """Return the bridge of `init_supabase()`, or before that one that is not available."""
    return _current or SupabaseBridge(None)

"""Supabase for the rating core, where there is one: sign-in of raters, live events, files, edge functions."""

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

from ratings.errors import BadDatabaseUrl, NoSupabase, NotThere
from ratings.events import Event
from ratings.listening import Changes, Listening, PrivateChannel, Source

_log: Final = logging.getLogger(__name__)

_MOST_WAITING: Final = 1000
_ASKED: Final = 10.0
_PATIENCE: Final = 60.0
"""Seconds; a file may take some."""

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SupabaseSettings:
    """A project. The service key is for programs that broadcast, never for what people run."""

    url: str
    key: str = field(repr=False)
    service_key: str | None = field(default=None, repr=False)


def supabase_settings(values: Mapping[str, str]) -> SupabaseSettings | None:
    """Read `SUPABASE_URL`, `SUPABASE_KEY` and `SUPABASE_SERVICE_KEY`; None when there is no Supabase."""
    url, key = values.get("SUPABASE_URL", "").strip().rstrip("/"), values.get("SUPABASE_KEY", "").strip()
    if not url and not key:
        return None
    if not url or not key:
        raise BadDatabaseUrl("Set both SUPABASE_URL and SUPABASE_KEY, or neither to go without Supabase.")
    return SupabaseSettings(url, key, values.get("SUPABASE_SERVICE_KEY", "").strip() or None)


class SupabaseBridge:
    """One project, and whoever is signed in to it here. Without settings, it only says that it is not there.

    What only Supabase has raises `NoSupabase` then; `publish` does nothing.
    """

    def __init__(self, settings: SupabaseSettings | None) -> None:
        self._settings = settings
        self._made: Client | None = None
        self._http: Final = httpx.Client(timeout=_PATIENCE, follow_redirects=True)
        self._waiting: Final[queue.Queue[Event | None]] = queue.Queue(_MOST_WAITING)
        self._sender: threading.Thread | None = None
        self._lock: Final = threading.Lock()

    def is_available(self) -> bool:
        """Whether there is a Supabase to use; not whether it answers at the moment."""
        return self._settings is not None

    def close(self) -> None:
        """Send what is waiting, and close."""
        if self._sender is not None:
            self._waiting.put(None)
            self._sender.join(_ASKED)
        self._http.close()

    # Raters

    def sign_up_rater(self, email: str, password: str, metadata: Mapping[str, str]) -> AuthResponse:
        """Make an account. `metadata` has rater_id, name, tenant_id, and the invite_code of a closed tenant.

        Whether that lets them into the tenant is decided by the database. Raises supabase-py's `AuthError`.
        """
        said = {**metadata, "display_name": metadata.get("name", "")}
        return self._client.auth.sign_up({"email": email, "password": password, "options": {"data": said}})

    def sign_in_rater(self, email: str, password: str) -> AuthResponse:
        """Sign in here; `session.access_token` of the answer is the JWT, with tenant_id and rater_id."""
        return self._client.auth.sign_in_with_password({"email": email, "password": password})

    def access_token(self) -> str | None:
        """Return the token of whoever is signed in here."""
        session = self._client.auth.get_session()
        return session.access_token if session else None

    # Files and functions

    def upload_model_artifact(
        self, bucket: str, path: str, content: bytes, content_type: str = "application/octet-stream"
    ) -> str:
        """Put a file there, `path` beginning with the tenant's id; return the path."""
        options: FileOptions = {"content-type": content_type}
        self._client.storage.from_(bucket).upload(path, content, options)
        return path

    def download_model_artifact(self, bucket: str, path: str) -> bytes:
        """Return the file."""
        return self._client.storage.from_(bucket).download(path)

    def get_public_url(self, bucket: str, path: str) -> str:
        """Return the address of a file of a public bucket; of others, it leads nowhere."""
        return self._client.storage.from_(bucket).get_public_url(path)

    def get_signed_url(self, bucket: str, path: str, seconds: int) -> str:
        """Return an address of any file that is good for so long. Raises `NotThere`."""
        address = self._client.storage.from_(bucket).create_signed_url(path, seconds)["signedURL"]
        if address is None:
            raise NotThere
        return address

    def invoke_edge_function(self, name: str, body: Mapping[str, object]) -> object:
        """Call an edge function with JSON; return the JSON that it answers."""
        answer = self._client.functions.invoke(name, {"body": dict(body), "responseType": "json"})
        return cast("object", answer)

    # Live events

    def publish(self, event: Event) -> None:
        """Broadcast in the tenant's private channel, after this returns; an outage is logged, no more.

        Needs the service key; without it there is nothing to be sent with. Too many waiting ones are
        dropped: who listens looks for itself now and then.
        """
        if self._settings is None or self._settings.service_key is None:
            return
        self._start_sender()
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            _log.warning("Too many rating events are waiting for Realtime: one is dropped")

    def listen(
        self,
        tenant_id: str,
        heard: Callable[[Row], None],
        on_live: Callable[[bool], None] = lambda _: None,
        *,
        brand_id: str | None = None,
    ) -> Listening:
        """Hear the tenant's broadcasts as whoever is signed in."""
        return self._listening([PrivateChannel(_channel(tenant_id, brand_id))], heard, on_live)

    def listen_to_tables(
        self, heard: Callable[[Row], None], on_live: Callable[[bool], None] = lambda _: None
    ) -> Listening:
        """Hear of each change of the tasks and raters that whoever is signed in may see."""
        every = RealtimePostgresChangesListenEvent.All
        return self._listening(
            [Changes("rating_tasks", every), Changes("rater_profiles", every)], heard, on_live
        )

    def subscribe_to_new_tasks(
        self, callback: Callable[[Row], None], on_live: Callable[[bool], None] = lambda _: None
    ) -> Listening:
        """Hear of each new row of `rating_tasks` that whoever is signed in may see, where it is kept here.

        The row says `task_id` besides `id`.
        """
        source = Changes("rating_tasks", RealtimePostgresChangesListenEvent.Insert)
        return self._listening([source], lambda row: callback({**row, "task_id": row["id"]}), on_live)

    def subscribe_to_rater_stats(self, rater_id: str, callback: Callable[[Row], None]) -> Listening:
        """Hear of each change of a rater's profile (`total_judgments`, ...), as a member of the tenant."""
        source = Changes(
            "rater_profiles", RealtimePostgresChangesListenEvent.Update, f"rater_id=eq.{rater_id}"
        )
        return self._listening([source], callback, lambda _: None)

    @property
    def _client(self) -> Client:
        if self._settings is None:
            raise NoSupabase
        with self._lock:
            if self._made is None:
                options = ClientOptions(
                    auto_refresh_token=False, persist_session=False, httpx_client=self._http
                )
                self._made = create_client(self._settings.url, self._settings.key, options)
            return self._made

    def _listening(
        self, sources: list[Source], heard: Callable[[Row], None], on_live: Callable[[bool], None]
    ) -> Listening:
        if self._settings is None:
            raise NoSupabase
        return Listening(self._settings.url, self._settings.key, self.access_token, sources, heard, on_live)

    def _start_sender(self) -> None:
        with self._lock:
            if self._sender is None:
                self._sender = threading.Thread(target=self._send_all, name="ratings-broadcast", daemon=True)
                self._sender.start()

    def _send_all(self) -> None:
        assert self._settings is not None
        key = self._settings.service_key or ""
        headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=self._settings.url, headers=headers, timeout=_ASKED) as http:
            while (event := self._waiting.get()) is not None:
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
    """Make the bridge that `get_supabase()` returns from then on; without settings, one that is not there."""
    global _current
    with _current_lock:
        if _current is not None:
            _current.close()
        _current = SupabaseBridge(settings)
        return _current


def get_supabase() -> SupabaseBridge:
    """Return the bridge of `init_supabase()`; before that, one that is not available."""
    return _current or SupabaseBridge(None)

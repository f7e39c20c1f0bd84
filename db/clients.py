"""One connection pool for the process, and clients on it that are cheap enough to make for each call.

`supabase.create_client` opens pools of its own for every client, which is too much for a client per tab, so
the same libraries underneath it (postgrest, supabase_auth) are used here on one shared pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import httpx
from postgrest import SyncPostgrestClient, SyncRequestBuilder, SyncRPCFilterRequestBuilder
from storage3 import SyncStorageClient
from supabase_auth import SyncGoTrueClient
from supabase_functions import SyncFunctionsClient

from db.settings import Settings

TIMEOUT = httpx.Timeout(7.0, connect=4.0)
"""Seconds. A person waits for the answer, so it is short."""

PATIENCE = httpx.Timeout(60.0, connect=4.0)
"""Seconds for files and functions, for which nobody waits without being told so."""

ASKED = 5.0
"""Seconds for an answer that only tells how things are."""


class Clients:
    """The way to one Supabase project, shared by all tabs; thread-safe."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        # HTTP/1.1: one HTTP/2 connection shared by many threads serializes them, and breaks for all at once.
        self._pool = httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=True,
            transport=transport,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30),
        )
        self._patient = httpx.Client(timeout=PATIENCE, follow_redirects=True, transport=transport)

    def table(self, name: str, access_token: str | None = None) -> SyncRequestBuilder:
        """Start a request on a table, as the owner of the token, or as a visitor without one."""
        return self._rest(access_token).from_(name)

    def rpc(
        self, function: str, params: Mapping[str, object], access_token: str
    ) -> SyncRPCFilterRequestBuilder:
        """Start a call of a function of the database, as the owner of the token."""
        # The library's annotation knows only texts; what it sends is JSON.
        return self._rest(access_token).rpc(function, cast("dict[str, str]", dict(params)))

    def auth(self) -> SyncGoTrueClient:
        """Make a sign-in client that keeps and refreshes nothing by itself; `db.auth` does."""
        key = self.settings.key
        return SyncGoTrueClient(
            url=f"{self.settings.url}/auth/v1",
            headers={"apikey": key, "Authorization": f"Bearer {key}"},
            auto_refresh_token=False,
            persist_session=False,
            http_client=self._pool,
        )

    def storage(self, access_token: str) -> SyncStorageClient:
        """Make a client for files, as the owner of the token."""
        url = f"{self.settings.url}/storage/v1/"
        return SyncStorageClient(url, self._headers(access_token), http_client=self._patient)

    def functions(self, access_token: str) -> SyncFunctionsClient:
        """Make a client for edge functions, as the owner of the token."""
        url = f"{self.settings.url}/functions/v1"
        return SyncFunctionsClient(url, self._headers(access_token), http_client=self._patient)

    def _rest(self, access_token: str | None) -> SyncPostgrestClient:
        # Retrying is left to the caller: the library sleeps for seconds between tries, while a person waits.
        return SyncPostgrestClient(
            f"{self.settings.url}/rest/v1",
            headers=self._headers(access_token),
            http_client=self._pool,
            retry_enabled=False,
        )

    def ask(self, method: str, path: str, access_token: str | None = None) -> httpx.Response:
        """Ask a path of the project itself, whatever comes back. Raises `httpx.HTTPError` for no answer."""
        return self._pool.request(
            method, f"{self.settings.url}{path}", headers=self._headers(access_token), timeout=ASKED
        )

    def _headers(self, access_token: str | None) -> dict[str, str]:
        key = self.settings.key
        return {"apikey": key, "Authorization": f"Bearer {access_token or key}"}

    def close(self) -> None:
        """Close the pooled connections."""
        self._pool.close()
        self._patient.close()

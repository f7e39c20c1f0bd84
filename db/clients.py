"""Clients of Supabase's own libraries on shared connection pools, so that making one for each call is cheap.

`supabase.create_client` opens connection pools for every client. With a client for each tab these would be
too many, so the libraries underneath it (postgrest, supabase_auth, ...) are used directly.
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
from livetables.auth.agent import agent_header

TIMEOUT = httpx.Timeout(7.0, connect=4.0)
"""Seconds. Short, because a person waits for the answer."""

LONG_TIMEOUT = httpx.Timeout(60.0, connect=4.0)
"""Seconds for files and edge functions. The page shows meanwhile that they are under way."""

PROBE_TIMEOUT = 5.0
"""Seconds for a request that only finds out whether the project works."""


class Clients:
    """Makes clients for one Supabase project. Shared by all tabs, and thread-safe."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        # HTTP/1.1, because threads that share one HTTP/2 connection wait for each other and lose it together.
        self._pool = httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=True,
            transport=transport,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30),
        )
        self._slow_pool = httpx.Client(timeout=LONG_TIMEOUT, follow_redirects=True, transport=transport)

    def table(self, name: str, access_token: str | None = None) -> SyncRequestBuilder:
        """Start a request on a table, as the owner of the token, or as a visitor."""
        return self._rest(access_token).from_(name)

    def rpc(
        self, function: str, params: Mapping[str, object], access_token: str | None = None
    ) -> SyncRPCFilterRequestBuilder:
        """Start a call of a function of the database, as the owner of the token, or as a visitor."""
        # The library annotates values as text, but sends any JSON.
        return self._rest(access_token).rpc(function, cast("dict[str, str]", dict(params)))

    def auth(self, user_agent: str = "") -> SyncGoTrueClient:
        """Make a client of the Auth service. It keeps no session, because `db.auth.accounts` does."""
        key = self.settings.key
        return SyncGoTrueClient(
            url=f"{self.settings.url}/auth/v1",
            headers={"apikey": key, "Authorization": f"Bearer {key}", **agent_header(user_agent)},
            auto_refresh_token=False,
            persist_session=False,
            http_client=self._pool,
        )

    def storage(self, access_token: str) -> SyncStorageClient:
        """Make a client for files, as the owner of the token."""
        url = f"{self.settings.url}/storage/v1/"
        return SyncStorageClient(url, self._headers(access_token), http_client=self._slow_pool)

    def functions(self, access_token: str) -> SyncFunctionsClient:
        """Make a client for edge functions, as the owner of the token."""
        url = f"{self.settings.url}/functions/v1"
        return SyncFunctionsClient(url, self._headers(access_token), http_client=self._slow_pool)

    def _rest(self, access_token: str | None) -> SyncPostgrestClient:
        # The library's own retries sleep for seconds while a person waits, so callers retry themselves.
        return SyncPostgrestClient(
            f"{self.settings.url}/rest/v1",
            headers=self._headers(access_token),
            http_client=self._pool,
            retry_enabled=False,
        )

    def request(self, method: str, path: str, access_token: str | None = None) -> httpx.Response:
        """Request a path of the project; return the answer whatever its status.

        Raises `httpx.HTTPError` when there is no answer.
        """
        return self._pool.request(
            method, f"{self.settings.url}{path}", headers=self._headers(access_token), timeout=PROBE_TIMEOUT
        )

    def _headers(self, access_token: str | None) -> dict[str, str]:
        key = self.settings.key
        return {"apikey": key, "Authorization": f"Bearer {access_token or key}"}

    def close(self) -> None:
        """Close the pooled connections."""
        self._pool.close()
        self._slow_pool.close()

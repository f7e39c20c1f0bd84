"""The people of a test: accounts that are signed in, with clients of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from postgrest import SyncPostgrestClient, SyncRequestBuilder, SyncRPCFilterRequestBuilder
from storage3 import SyncStorageClient
from supabase import AsyncClient, AsyncClientOptions, Client, ClientOptions, acreate_client, create_client
from supabase_auth import AsyncMemoryStorage, SyncGoTrueClient, SyncMemoryStorage
from supabase_functions import SyncFunctionsClient

from local_supabase.stack.runtime import StackInfo

# The key under which supabase-py's clients keep their session.
_SESSION = "supabase.auth.token"


@dataclass(frozen=True, slots=True)
class User:
    """An account that is signed in. It does what its client does, with its rights.

    Arguments:
        name: the name that the test gave it.
        id: its id, a UUID.
        email: its address.
        password: its password, "" if it has none.
        session: its session as Auth answers it.
        client: supabase-py's client, signed in.
        stack: the stack that it belongs to.
    """

    name: str
    id: str
    email: str
    password: str = field(repr=False)
    session: Mapping[str, object] = field(repr=False)
    client: Client = field(repr=False)
    stack: StackInfo = field(repr=False)

    @property
    def access_token(self) -> str:
        """The token that requests of this account carry."""
        return str(self.session["access_token"])

    def table(self, name: str) -> SyncRequestBuilder:
        """Return the requests to a table or view."""
        return self.client.table(name)

    def schema(self, name: str) -> SyncPostgrestClient:
        """Return the requests to another schema."""
        return self.client.schema(name)

    def rpc(self, function: str, arguments: dict[str, object] | None = None) -> SyncRPCFilterRequestBuilder:
        """Return the call of a function."""
        return self.client.rpc(function, arguments or {})

    @property
    def auth(self) -> SyncGoTrueClient:
        """Auth, as this account."""
        return self.client.auth

    @property
    def storage(self) -> SyncStorageClient:
        """Storage, as this account."""
        return self.client.storage

    @property
    def functions(self) -> SyncFunctionsClient:
        """Edge functions, called by this account."""
        return self.client.functions

    async def async_client(self) -> AsyncClient:
        """Return an asynchronous client that is signed in to this account; it has Realtime as well."""
        return await async_client(self.stack, self.stack.anon_key, self.session)


def sync_client(
    stack: StackInfo, key: str, http: httpx.Client, session: Mapping[str, object] | None = None
) -> Client:
    """Return a client with an API key, signed in if there is a session.

    Arguments:
        stack: the stack.
        key: the API key.
        http: the connections, which the clients of a test share.
        session: the session as Auth answers it.
    """
    storage = SyncMemoryStorage()
    if session is not None:
        storage.set_item(_SESSION, json.dumps(session))
    options = ClientOptions(auto_refresh_token=False, storage=storage, httpx_client=http)
    return create_client(stack.url, key, options)


async def async_client(
    stack: StackInfo, key: str, session: Mapping[str, object] | None = None
) -> AsyncClient:
    """Return an asynchronous client with an API key, signed in if there is a session."""
    storage = AsyncMemoryStorage()
    if session is not None:
        await storage.set_item(_SESSION, json.dumps(session))
    # Without kept connections there is nothing to close at the end of a test, when the event loop is gone.
    http = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
    options = AsyncClientOptions(auto_refresh_token=False, storage=storage, httpx_client=http)
    return await acreate_client(stack.url, key, options)

"""Auth in this process, on the database of the running stack, with settings for each test."""

import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from local_supabase.auth.api import AuthApi, Buckets
from local_supabase.auth.mailbox import Mail, Mailbox
from local_supabase.auth.passwords import PasswordHasher
from local_supabase.auth.service import build_routes
from local_supabase.auth.settings import AuthSettings
from local_supabase.context import Context
from local_supabase.database import Database
from local_supabase.identity import TokenVerifier
from local_supabase.keys import Keys, load_keys
from local_supabase.settings import Settings
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo

PASSWORD = "correct horse"
NOW = time.time() // 30 * 30 + 15
"""At which `standing_clock` stops, so that no one-time code gets old during a test."""
CODED = {"X-Supabase-Api-Version": "2024-01-01"}


@dataclass(frozen=True, slots=True)
class Auth:
    """A client of one Auth service; `keys` are the stack's."""

    http: httpx.AsyncClient
    mailbox: Mailbox
    keys: Keys

    async def post(self, path: str, body: object = None, token: str = "", **headers: str) -> httpx.Response:
        """Send a POST request with JSON; with a token, as its user."""
        return await self.http.post(path, json=body, headers=_as(token) | headers)

    async def get(self, path: str, token: str = "") -> httpx.Response:
        """Send a GET request; with a token, as its user."""
        return await self.http.get(path, headers=_as(token))

    async def put(self, path: str, body: object, token: str) -> httpx.Response:
        """Send a PUT request with JSON, as the token's user."""
        return await self.http.put(path, json=body, headers=_as(token))

    async def sign_up(self, email: str = "", password: str = PASSWORD, **body: object) -> "Session":
        """Sign up a new user and return the session."""
        answer = await self.post("/signup", {"email": email or new_email(), "password": password, **body})
        assert answer.status_code == 200, answer.text
        return Session.of(answer)

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """Send a password and return the answer."""
        return await self.post("/token?grant_type=password", {"email": email, "password": password})

    async def refresh(self, token: str) -> httpx.Response:
        """Send a refresh token and return the answer."""
        return await self.post("/token?grant_type=refresh_token", {"refresh_token": token})

    async def mail_to(self, email: str) -> Mail:
        """Return the newest mail to an address."""
        mails = await self.mailbox.newest(email)
        assert mails, f"There is no mail to {email}."
        return mails[0]

    async def follow(self, mail: Mail) -> httpx.URL:
        """Follow the link of a mail and return the URL it redirects to."""
        link = urlsplit(mail.link)
        answer = await self.http.get(f"/verify?{link.query}")
        assert answer.status_code == 303, answer.text
        return httpx.URL(answer.headers["location"])


@dataclass(frozen=True, slots=True)
class Session:
    """The session of a signed-in user."""

    access_token: str
    refresh_token: str
    user_id: str
    email: str

    @classmethod
    def of(cls, answer: httpx.Response) -> Self:
        """Read an answer that holds a session."""
        body = answer.json()
        return cls(body["access_token"], body["refresh_token"], body["user"]["id"], body["user"]["email"])


AuthFactory = Callable[..., Auth]


def new_email() -> str:
    """Return an unused address."""
    return f"{uuid4().hex[:12]}@people.example"


def _as(token: str) -> dict[str, str]:
    return CODED | ({"Authorization": f"Bearer {token}"} if token else {})


@pytest.fixture
async def auth_context(stack: StackInfo) -> AsyncIterator[Context]:
    """Return the stack's context, as its gateway has it."""
    data_dir = DataDir(stack.data_dir)
    keys = load_keys(data_dir)
    port, database_port = urlsplit(stack.url).port, urlsplit(stack.database_url).port
    assert port is not None
    assert database_port is not None
    settings = Settings(port, database_port, 0, stack.data_dir, data_dir)
    database = await Database.open(settings, keys)
    log = logging.getLogger("local_supabase")
    yield Context(settings, keys, database, TokenVerifier(keys.jwt_secret), log)
    await database.close()


@pytest.fixture
def standing_clock(auth_context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass for codes and tokens: it is the middle of a time step of 30 seconds."""
    monkeypatch.setattr(auth_context.verifier, "now", lambda: NOW)


@pytest.fixture
def auth_with(auth_context: Context) -> AuthFactory:
    """Return a function that makes a service with other settings."""

    def make(**settings: object) -> Auth:
        chosen = AuthSettings(**settings)  # type: ignore[arg-type]  # the caller names fields of it
        mailbox = Mailbox(auth_context.settings.data_dir.mailbox)
        api = AuthApi(auth_context, chosen, PasswordHasher(2), mailbox, Buckets.of(chosen))
        app = Starlette(routes=[Mount("/auth/v1", routes=build_routes(api))])
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))
        client = httpx.AsyncClient(transport=transport, base_url="http://auth.test/auth/v1")
        return Auth(client, mailbox, auth_context.keys)

    return make


@pytest.fixture
def auth(auth_with: AuthFactory) -> Auth:
    """Return a service with the settings of a new project."""
    return auth_with()


@pytest.fixture
async def sql(stack: StackInfo) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Return a connection of the project's owner."""
    connection = await asyncpg.connect(stack.database_url)
    yield connection
    await connection.close()

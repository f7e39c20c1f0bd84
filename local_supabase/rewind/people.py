"""Accounts for tests: confirmed and signed in by one request, without a password to hash."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import accounts, issue, users
from local_supabase.auth.api import AUDIENCE, AuthApi, endpoint, json_answer, transaction
from local_supabase.auth.errors import invalid
from local_supabase.auth.mailbox_page import View
from local_supabase.auth.sessions import SessionClient
from local_supabase.auth.users import Changes, Column

PEOPLE_PATH = "/people"


class Person(msgspec.Struct):
    """The body of a request: who is wanted."""

    email: str
    password: str = ""
    app_metadata: dict[str, object] = {}
    user_metadata: dict[str, object] = {}


def people_view(api: AuthApi) -> View:
    """Return the view that makes an account and answers its session, as a sign-in does."""
    return endpoint(api, _create)


async def _create(api: AuthApi, request: Request) -> Response:
    try:
        wanted = msgspec.json.decode(await request.body(), type=Person)
    except msgspec.DecodeError as error:
        raise invalid(str(error)) from error
    email = wanted.email.lower()
    client = SessionClient("local_supabase.testing", "127.0.0.1")
    password_hash = await api.hasher.hash(wanted.password) if wanted.password else ""
    async with accounts.saving_new_user(), transaction(api) as connection:
        new = users.NewUser(
            AUDIENCE,
            accounts.ROLE,
            app_metadata={"provider": "email", "providers": ["email"], **wanted.app_metadata},
            user_metadata=wanted.user_metadata,
            email=email,
            password_hash=password_hash,
        )
        user = await users.insert(connection, new)
        await users.add_identity(connection, user, "email", accounts.identity_data(user, email))
        confirmed: Changes = {Column.EMAIL_CONFIRMED_AT: datetime.now(UTC)}
        user = await users.update(connection, user, confirmed)
        session = await issue.sign_in(api, connection, user, "password", client)
    return json_answer(session)

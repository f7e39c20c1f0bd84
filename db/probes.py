"""Short requests by which the Diagnostics page finds out whether the project works for a signed-in person.

Each uses the person's own token and raises a `DatabaseError` when there is no usable answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

import httpx
from postgrest.exceptions import APIError

from db.caller import Caller
from db.clients import Clients
from db.columns import AwareDatetime, Model
from db.errors import (
    DatabaseError,
    MisconfiguredError,
    NotAllowedError,
    SignedOutError,
    from_api,
    from_transport,
)

_NO_PROJECT: Final = "What answers at SUPABASE_URL is not a Supabase project."


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database says about itself.

    `ahead` is by how much the database's clock is ahead of this server's, give or take `uncertain`.
    `migrations` are the versions of the applied migrations, None when the project has no list of them.
    """

    server_version: str
    published: frozenset[str]
    migrations: frozenset[str] | None
    ahead: timedelta
    uncertain: timedelta


@dataclass(frozen=True, slots=True)
class _Diagnostics(Model):
    """The answer of `public.diagnostics()`."""

    server_version: str
    server_time: AwareDatetime
    published: tuple[str, ...]
    migrations: tuple[str, ...] | None


def time_rest(clients: Clients) -> timedelta:
    """Read a row as a visitor; return how long it took."""
    started = datetime.now(UTC)
    _body(_send(clients, "GET", "/rest/v1/users?select=id&limit=1"))
    return datetime.now(UTC) - started


def time_auth(me: Caller) -> timedelta:
    """Ask the Auth service for the owner of this person's token; return how long it took.

    Raises `SignedOutError` when it refuses the token.
    """
    started = datetime.now(UTC)
    answer = _send(me.clients, "GET", "/auth/v1/user", me.access_token())
    if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise SignedOutError
    user = _object(answer)
    if user.get("id") != me.user_id:
        raise MisconfiguredError("The sign-in service did not recognize your sign-in.")
    return datetime.now(UTC) - started


def read_facts(me: Caller) -> Facts:
    """Call `public.diagnostics()`. Raises `NotAllowedError` for people who are not admins."""
    token = me.access_token()
    before = datetime.now(UTC)
    answer = _send(me.clients, "POST", "/rest/v1/rpc/diagnostics", token)
    after = datetime.now(UTC)
    try:
        found = _Diagnostics.from_record(_object(answer))
    except ValueError as error:
        raise MisconfiguredError from error
    half = (after - before) / 2
    return Facts(
        server_version=found.server_version,
        published=frozenset(found.published),
        migrations=None if found.migrations is None else frozenset(found.migrations),
        ahead=found.server_time - (before + half),
        uncertain=half,
    )


def refused_tables(me: Caller, tables: Mapping[str, Sequence[str]]) -> dict[str, DatabaseError]:
    """Select the key columns of each table; return an error for each table that this person cannot select."""
    refused: dict[str, DatabaseError] = {}
    token = me.access_token()
    for name, key in tables.items():
        try:
            me.clients.table(name, token).select(",".join(key)).limit(1).execute()
        except APIError as error:
            refused[name] = from_api(error)
        except httpx.HTTPError as error:
            raise from_transport(error) from error
    return refused


def _send(clients: Clients, method: str, path: str, token: str | None = None) -> httpx.Response:
    try:
        return clients.request(method, path, token)
    except httpx.HTTPError as error:
        raise from_transport(error) from error


def _object(answer: httpx.Response) -> Mapping[str, object]:
    body = _body(answer)
    if not isinstance(body, dict):
        raise MisconfiguredError(_NO_PROJECT)
    return body


def _body(answer: httpx.Response) -> object:
    if not answer.is_success:
        raise _refusal(answer)
    try:
        return answer.json()
    except ValueError as error:
        raise MisconfiguredError(_NO_PROJECT) from error


def _refusal(answer: httpx.Response) -> DatabaseError:
    """Translate an answer that is no success, by PostgREST's code or else by its status."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and "message" in body:
        return from_api(APIError({key: body.get(key) for key in ("code", "message", "hint", "details")}))
    if answer.status_code == HTTPStatus.FORBIDDEN:
        return NotAllowedError()
    return DatabaseError(f"The project answered with the status {answer.status_code}.")

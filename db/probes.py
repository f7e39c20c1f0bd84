"""How the project answers one signed-in person: the facts that the Diagnostics page judges.

Every function makes one short request with the person's own token, and raises `DatabaseError`, worded for
people, when there is no usable answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx
from postgrest.exceptions import APIError

from db import columns
from db.clients import Clients
from db.errors import DatabaseError, Misconfigured, NotAllowed, SignedOut, from_api, from_transport
from db.rows import Caller


@dataclass(frozen=True, slots=True)
class Facts:
    """What `public.diagnostics()` tells an admin.

    `ahead` is how far the database's clock is ahead of this server's, known to within `uncertain`.
    `migrations` are the versions of the applied ones, None when nobody keeps a list of them.
    """

    server_version: str
    published: frozenset[str]
    migrations: frozenset[str] | None
    ahead: timedelta
    uncertain: timedelta


def ask_rest(clients: Clients) -> timedelta:
    """Read as a visitor; return how long that took."""
    started = datetime.now(UTC)
    _json(clients, "GET", "/rest/v1/users?select=id&limit=1")
    return datetime.now(UTC) - started


def ask_auth(me: Caller) -> timedelta:
    """Have the Auth service confirm that this person's token is theirs; return how long that took."""
    started = datetime.now(UTC)
    answer = _send(me.clients, "GET", "/auth/v1/user", me.access_token())
    if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise SignedOut
    user = _object(answer)
    if user.get("id") != me.user_id:
        raise Misconfigured("The sign-in service did not recognize your sign-in.")
    return datetime.now(UTC) - started


def ask_facts(me: Caller) -> Facts:
    """Ask the database about itself; only admins are told."""
    token = me.access_token()
    before = datetime.now(UTC)
    answer = _send(me.clients, "POST", "/rest/v1/rpc/diagnostics", token)
    after = datetime.now(UTC)
    facts = _object(answer)
    try:
        applied = facts.get("migrations")
        half = (after - before) / 2
        return Facts(
            server_version=columns.text(facts, "server_version"),
            published=frozenset(str(name) for name in columns.items(facts, "published")),
            migrations=None
            if applied is None
            else frozenset(str(version) for version in columns.items(facts, "migrations")),
            ahead=columns.moment(facts, "server_time") - (before + half),
            uncertain=half,
        )
    except ValueError as error:
        raise Misconfigured from error


def ask_tables(me: Caller, tables: Mapping[str, Sequence[str]]) -> dict[str, DatabaseError]:
    """Select the key columns of each table; return the tables that this person cannot select, and why."""
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


def _json(clients: Clients, method: str, path: str, token: str | None = None) -> object:
    answer = _send(clients, method, path, token)
    if answer.is_success:
        try:
            return answer.json()
        except ValueError as error:
            raise Misconfigured("What answers at SUPABASE_URL is not a Supabase project.") from error
    raise _refusal(answer)


def _send(clients: Clients, method: str, path: str, token: str | None) -> httpx.Response:
    try:
        return clients.ask(method, path, token)
    except httpx.HTTPError as error:
        raise from_transport(error) from error


def _object(answer: httpx.Response) -> Mapping[str, object]:
    if not answer.is_success:
        raise _refusal(answer)
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Misconfigured("What answers at SUPABASE_URL is not a Supabase project.")
    return body


def _refusal(answer: httpx.Response) -> DatabaseError:
    """Word an answer that is no success: PostgREST's own form if it has that, else the status."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and "message" in body:
        return from_api(APIError({key: body.get(key) for key in ("code", "message", "hint", "details")}))
    if answer.status_code == HTTPStatus.FORBIDDEN:
        return NotAllowed()
    return DatabaseError(f"The project answered with the status {answer.status_code}.")

"""What the endpoints of Storage share: the service's parts, the caller, transactions, request bodies."""

import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from local_supabase.context import Context
from local_supabase.database import CallerRequest, Connection, DatabaseBusyError, DatabaseUnavailableError
from local_supabase.identity import Identity, TokenError, TokenProblem, bearer_token
from local_supabase.keys import Login
from local_supabase.storage.errors import StorageError, access_denied, invalid_request, of_database
from local_supabase.storage.files import FileStore
from local_supabase.storage.settings import StorageSettings

MAX_BODY_BYTES = 1024 * 1024

_SCOPE = """
select set_config('storage.operation', $1, true), set_config('storage.allow_delete_query', 'true', true)
"""
_TOKEN_PROBLEMS: Mapping[TokenProblem, str] = {
    TokenProblem.MISSING: "Invalid Compact JWS",
    TokenProblem.MALFORMED: "Invalid Compact JWS",
    TokenProblem.SIGNATURE: "signature verification failed",
    TokenProblem.EXPIRED: '"exp" claim timestamp check failed',
    TokenProblem.CLAIMS: "unexpected claim value",
}


@dataclass(frozen=True, slots=True)
class StorageApi:
    """The parts of the service, which every handler is given."""

    context: Context
    settings: StorageSettings
    files: FileStore


Handler = Callable[[StorageApi, Request], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(api: StorageApi, handler: Handler) -> Endpoint:
    """Turn a handler into an endpoint that answers every failure in Storage's form."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(api, request)
        except StorageError as error:
            return error.response()
        except ClientDisconnect:
            return Response(status_code=499)
        except asyncpg.PostgresError as error:
            refusal = of_database(error)
            if refusal.status == 500:
                api.context.log.exception("%s %s failed", request.method, request.url.path)
            return refusal.response()
        except (DatabaseUnavailableError, DatabaseBusyError):
            message = "The connection to the database timed out"
            return StorageError(544, "DatabaseTimeout", message).response()
        except OSError as error:
            api.context.log.exception("%s %s failed", request.method, request.url.path)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            message = "There is no space left for files" if full else "Internal server error"
            return StorageError(500, "InternalError", message).response()

    return answer


def json_answer(body: object, status: int = 200) -> JSONResponse:
    """Answer with JSON."""
    return JSONResponse(body, status)


def identity_of(api: StorageApi, request: Request) -> Identity:
    """Return the identity of the caller's token. Raises `StorageError` without a valid one."""
    token = bearer_token(request.headers)
    if not token:
        raise invalid_request("headers must have required property 'authorization'")
    try:
        return api.context.verifier.verify(token)
    except TokenError as error:
        raise access_denied(_TOKEN_PROBLEMS[error.kind]) from None


def optional_identity_of(api: StorageApi, request: Request) -> Identity | None:
    """Return the identity of the caller's token, or None without a valid one."""
    try:
        return identity_of(api, request)
    except StorageError:
        return None


@asynccontextmanager
async def as_caller(
    api: StorageApi, request: Request, identity: Identity, operation: str, *, read_only: bool = False
) -> AsyncIterator[Connection]:
    """Open a transaction under the caller's role; policies may read ``operation``."""
    async with api.context.database.as_caller(
        identity,
        CallerRequest(
            headers={name.lower(): value for name, value in request.headers.items()},
            method=request.method,
            path=request.url.path,
            schema="storage",
        ),
        read_only=read_only,
    ) as connection:
        await connection.execute(_SCOPE, operation)
        yield connection


@asynccontextmanager
async def as_owner(api: StorageApi) -> AsyncIterator[Connection]:
    """Open a transaction as the owner of the tables, to whom policies do not apply."""
    login = Login.STORAGE_ADMIN
    async with api.context.database.as_admin(login) as connection, connection.transaction():
        await connection.execute(_SCOPE, "")
        yield connection


class Body:
    """A JSON object. A missing or wrong field is a `StorageError` 400."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def has(self, name: str) -> bool:
        """Return whether a field was sent; it may be null."""
        return name in self._fields

    def value(self, name: str) -> object:
        """Return a field of any type, None if it is absent."""
        return self._fields.get(name)

    def text(self, name: str) -> str:
        """Return a required text."""
        if name not in self._fields:
            raise invalid_request(f"body must have required property '{name}'")
        value = self._fields[name]
        if not isinstance(value, str):
            raise invalid_request(f"body/{name} must be string")
        return value

    def optional_text(self, name: str, default: str = "") -> str:
        """Return a text, or the default if it is absent or null."""
        return default if self._fields.get(name) is None else self.text(name)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean, or the default if it is absent or null."""
        value = self._fields.get(name)
        if value is None:
            return default
        if value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise invalid_request(f"body/{name} must be boolean")
        return value

    def number(self, name: str, default: int | None, minimum: int) -> int:
        """Return a whole number, which may be sent as a text; without a default it is required."""
        value = self._fields.get(name)
        if value is None:
            if default is None:
                raise invalid_request(f"body must have required property '{name}'")
            return default
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:20])
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid_request(f"body/{name} must be integer")
        if value < minimum:
            raise invalid_request(f"body/{name} must be >= {minimum}")
        return min(value, 2**31 - 1)

    def texts(self, name: str) -> list[str]:
        """Return a required list of texts, which must not be empty."""
        value = self._fields.get(name)
        if value is None:
            raise invalid_request(f"body must have required property '{name}'")
        if not isinstance(value, list):
            raise invalid_request(f"body/{name} must be array")
        if not value:
            raise invalid_request(f"body/{name} must NOT have fewer than 1 items")
        if not all(isinstance(item, str) for item in value):
            raise invalid_request(f"body/{name}/0 must be string")
        return value


async def read_body(request: Request) -> Body:
    """Read a JSON object; no body is an empty one. Raises `StorageError` for more than one megabyte."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise StorageError(413, "EntityTooLarge", "Request body is too large")
    try:
        fields = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError as error:
        raise invalid_request(f"Body is not valid JSON: {error}") from None
    if not isinstance(fields, dict):
        raise invalid_request("body must be object")
    if b"\\u0000" in raw:
        raise invalid_request("body must not contain the NUL character")
    return Body(fields)

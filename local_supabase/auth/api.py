"""What the endpoints of Auth share: the service's parts, the caller of a request, the answers to failures."""

import ipaddress
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from uuid import UUID

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_supabase.auth import sessions, users
from local_supabase.auth.errors import (
    AuthError,
    OAuthError,
    bad_request,
    error_response,
    forbidden,
    unexpected,
)
from local_supabase.auth.limits import Bucket
from local_supabase.auth.mailbox import Mailbox
from local_supabase.auth.models import User
from local_supabase.auth.passwords import PasswordHasher
from local_supabase.auth.sessions import Session, SessionClient
from local_supabase.auth.settings import AuthSettings
from local_supabase.context import Context
from local_supabase.database import Connection, DatabaseBusyError, DatabaseUnavailableError
from local_supabase.identity import Identity, TokenError, TokenProblem

AUDIENCE = "authenticated"
ADMIN_ROLES = ("service_role", "supabase_admin")
_BEARER = re.compile(r"[Bb]earer (\S+)")
_TWO_MINUTES = 120.0
_FIVE_MINUTES = 300.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Buckets:
    """The active rate limits. Mails are counted together, wrong passwords and codes for each account."""

    emails: Bucket
    anonymous: Bucket
    refreshes: Bucket
    sign_ins: Bucket
    verifications: Bucket
    wrong_passwords: Bucket
    wrong_codes: Bucket
    wrong_tries: Bucket
    factor_challenges: Bucket
    factor_codes: Bucket

    @classmethod
    def of(cls, settings: AuthSettings) -> "Buckets":
        """Return the buckets for these settings."""
        limits = settings.rate_limits
        return cls(
            emails=Bucket(limits.email_sent, _HOUR),
            anonymous=Bucket(limits.anonymous_users, _HOUR),
            refreshes=Bucket(limits.token_refresh, _FIVE_MINUTES),
            sign_ins=Bucket(limits.sign_in_sign_ups, _FIVE_MINUTES),
            verifications=Bucket(limits.token_verifications, _FIVE_MINUTES),
            wrong_passwords=Bucket(limits.wrong_passwords, _FIVE_MINUTES),
            wrong_codes=Bucket(limits.wrong_codes, _HOUR),
            # A code is tried no more after it has expired, so its tries need not come back.
            wrong_tries=Bucket(limits.wrong_tries, 1000 * max(settings.otp_expiry, 1)),
            factor_challenges=Bucket(limits.factor_codes, _TWO_MINUTES),
            factor_codes=Bucket(limits.factor_codes, _TWO_MINUTES),
        )

    def clear(self) -> None:
        """Forget all uses."""
        for each in fields(self):
            getattr(self, each.name).clear()


@dataclass(frozen=True, slots=True)
class AuthApi:
    """The parts of the service, which every handler is given."""

    context: Context
    settings: AuthSettings
    hasher: PasswordHasher
    mailbox: Mailbox
    buckets: Buckets

    @property
    def issuer(self) -> str:
        """The ``iss`` claim, which is also the public address of the service."""
        return f"{self.context.settings.url}/auth/v1"


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed-in user of a request; a token that Auth did not issue may name no session."""

    user: User
    session: Session | None


# Postgres is restarting, or the connection broke during the request.
_UNREACHABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    DatabaseUnavailableError,
    DatabaseBusyError,
    ConnectionError,
)
Handler = Callable[[AuthApi, Request], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(api: AuthApi, handler: Handler) -> Endpoint:
    """Turn a handler into an endpoint that answers every failure in GoTrue's form."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(api, request)
        except (AuthError, OAuthError) as error:
            return error_response(error, request.headers)
        except _UNREACHABLE:
            api.context.log.exception("The database cannot be reached")
            unreachable = AuthError(503, "unexpected_failure", "The database cannot be reached at present")
            return error_response(unreachable, request.headers)
        except (asyncpg.PostgresError, LookupError, OSError):
            api.context.log.exception("%s %s failed", request.method, request.url.path)
            message = "Unexpected failure, please check server logs for more information"
            return error_response(unexpected(message), request.headers)

    return answer


@asynccontextmanager
async def transaction(api: AuthApi) -> AsyncIterator[Connection]:
    """Open a transaction under Auth's own role."""
    async with api.context.database.as_admin() as connection, connection.transaction():
        yield connection


def json_answer(body: object, status: int = 200) -> JSONResponse:
    """Answer with JSON."""
    return JSONResponse(body, status)


def address_of(request: Request) -> str | None:
    """Return the IP address of the client, None when it is unknown."""
    host = request.client.host if request.client else ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def client_of(request: Request) -> SessionClient:
    """Return what a session stores about the client of a request."""
    agent = request.headers.get("user-agent")
    return SessionClient(agent.replace("\0", "")[:1000] if agent else None, address_of(request))


def limit_key(request: Request) -> str:
    """Return the key under which a request counts against rate limits.

    Anybody on this machine can come from any of its loopback addresses, so they count as one.
    """
    address = address_of(request)
    if address is None:
        return "unknown"
    return "loopback" if ipaddress.ip_address(address).is_loopback else address


def identity_of(api: AuthApi, request: Request) -> Identity:
    """Return the identity of the bearer token. Raises `AuthError` 401 without one, 403 for an invalid one."""
    match = _BEARER.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        raise AuthError(401, "no_authorization", "This endpoint requires a Bearer token")
    try:
        return api.context.verifier.verify(match[1])
    except TokenError as error:
        raise _bad_jwt(_JWT_PROBLEMS[error.kind]) from None


_JWT_PROBLEMS = {
    TokenProblem.MISSING: "token is malformed: token contains an invalid number of segments",
    TokenProblem.MALFORMED: "token is malformed: token contains an invalid number of segments",
    TokenProblem.SIGNATURE: "token signature is invalid: signature is invalid",
    TokenProblem.EXPIRED: "token has invalid claims: token is expired",
    TokenProblem.CLAIMS: "token has invalid claims",
}


def _bad_jwt(detail: str) -> AuthError:
    return forbidden("bad_jwt", f"invalid JWT: unable to parse or verify signature, {detail}")


def require_admin(api: AuthApi, request: Request) -> Identity:
    """Return the identity of an administrator's token. Raises `AuthError` for any other caller."""
    identity = identity_of(api, request)
    if identity.role not in ADMIN_ROLES:
        raise forbidden("not_admin", "User not allowed")
    return identity


async def caller_of(api: AuthApi, connection: Connection, request: Request) -> Caller:
    """Return the signed-in user. Raises `AuthError` when the user or the token's session no longer exists."""
    claims = identity_of(api, request).claims
    subject = claims.get("sub")
    if not subject or not isinstance(subject, str):
        raise forbidden("bad_jwt", "invalid claim: missing sub claim")
    if not _is_uuid(subject):
        raise bad_request("bad_jwt", "invalid claim: sub claim must be a UUID")
    user = await users.find(connection, users.Lookup.ID, subject)
    if user is None:
        raise forbidden("user_not_found", "User from sub claim in JWT does not exist")
    if user.is_banned:
        raise forbidden("user_banned", "User is banned")
    return Caller(user, await _session_of(connection, claims.get("session_id")))


async def _session_of(connection: Connection, session_id: object) -> Session | None:
    if not session_id:
        return None
    if not isinstance(session_id, str) or not _is_uuid(session_id):
        raise forbidden("bad_jwt", "invalid claim: session_id claim must be a UUID")
    session = await sessions.find(connection, session_id)
    if session is None:
        raise forbidden("session_not_found", "Session from session_id claim in JWT does not exist")
    return session


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

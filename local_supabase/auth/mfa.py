"""The endpoints of second factors: ``/factors``. Of the three kinds, TOTP is here.

Source: github.com/supabase/auth, ``internal/api/mfa.go``. Three things are stricter than
there: a code is used once, as RFC 6238 asks; tries count by account, not by address; and the refresh tokens
from before a code are void at once.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import factors, issue, sessions, totp, users
from local_supabase.auth.api import (
    AuthApi,
    Caller,
    address_of,
    caller_of,
    json_answer,
    transaction,
)
from local_supabase.auth.body import Body, read_body
from local_supabase.auth.errors import (
    AuthError,
    bad_request,
    forbidden,
    invalid,
    not_found,
    unexpected,
    unprocessable,
)
from local_supabase.auth.limits import refuse_if_over
from local_supabase.auth.models import Factor, User
from local_supabase.auth.sessions import Session
from local_supabase.auth.validation import validate_uuid
from local_supabase.database import Connection

MAX_NAME_LENGTH = 200
_DISABLED = {
    "phone": ("mfa_phone_enroll_not_enabled", "MFA enroll is disabled for Phone"),
    "webauthn": ("mfa_webauthn_enroll_not_enabled", "MFA enroll is disabled for WebAuthn"),
}
_NO_SESSION = "A valid session and a registered user are required to enroll a factor"
_TOO_MANY = "Maximum number of verified factors reached, unenroll to continue"
_UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  # stands for no address; nothing listens there
_NO_CHALLENGE = UUID(int=0)
_WRONG_CODE = "mfa_verification_failed"
_EXPIRED = "MFA challenge {} has expired, verify against another challenge or create a new challenge."


async def enroll(api: AuthApi, request: Request) -> Response:
    """Begin a factor: return its secret, as text and as QR code, this one time."""
    async with api.context.database.as_admin() as connection:
        caller = await _permanent_caller(api, connection, request)
    body = await read_body(request)
    kind = body.text("factor_type")
    if kind in _DISABLED:
        raise unprocessable(*_DISABLED[kind])
    if kind != factors.TOTP:
        raise invalid("factor_type needs to be totp, phone, or webauthn")
    if not api.settings.totp_enroll:
        raise unprocessable("mfa_totp_enroll_not_enabled", "MFA enroll is disabled for TOTP")
    name, issuer = body.text("friendly_name"), body.text("issuer") or _own_issuer(api)
    if max(len(name), len(issuer)) > MAX_NAME_LENGTH:
        raise invalid(f"friendly_name and issuer cannot be longer than {MAX_NAME_LENGTH} characters")
    secret = totp.new_secret()
    async with transaction(api) as connection:
        await factors.lock_user(connection, caller.user)
        await factors.delete_expired(connection, caller.user, api.settings.challenge_expiry)
        caller = await _permanent_caller(api, connection, request)
        _check_another(api, caller, name)
        factor_id = await factors.insert_totp(connection, caller.user, name, secret)
    uri = totp.key_uri(secret, issuer, caller.user.email)
    return json_answer(
        {
            "id": factor_id,
            "type": factors.TOTP,
            "friendly_name": name,
            "totp": {"qr_code": totp.qr_code(uri), "secret": secret, "uri": uri},
        }
    )


async def challenge(api: AuthApi, request: Request) -> Response:
    """Begin the entering of a code."""
    async with transaction(api) as connection:
        caller, factor = await _factor_of(api, connection, request)
        refuse_if_over(api.buckets.factor_challenges, caller.user.id)
        _refuse_if_off(api)
        begun = await factors.insert_challenge(connection, factor, address_of(request) or _UNKNOWN_ADDRESS)
    ends = begun.created_at + timedelta(seconds=api.settings.challenge_expiry)
    return json_answer({"id": begun.id, "type": factor.factor_type, "expires_at": int(ends.timestamp())})


async def verify(api: AuthApi, request: Request) -> Response:
    """Check a code. Return the session with the level aal2; the user's sessions below it end."""
    async with api.context.database.as_admin() as connection:
        caller, factor = await _factor_of(api, connection, request)
    refuse_if_over(api.buckets.factor_codes, caller.user.id)
    body = await read_body(request)
    code = body.text("code")
    if not code:
        raise invalid("Code needs to be non-empty")
    challenge_id = _challenge_id(body)
    _refuse_if_off(api)
    if caller.session is None:
        raise unexpected("Cannot read SessionId claim as UUID")
    attempt = _Attempt(caller.session, factor, challenge_id, code, address_of(request) or _UNKNOWN_ADDRESS)
    # Taken before the code is known to be wrong, so that many tries at the same moment count as well.
    tries = f"factors of {caller.user.id}"
    refuse_if_over(api.buckets.wrong_codes, tries)
    async with transaction(api) as connection:
        problem = await _check(api, connection, attempt)
        answer = None if problem else await _raise_level(api, connection, attempt)
    if problem is None or problem.code != _WRONG_CODE:
        api.buckets.wrong_codes.give_back(tries)
    # Raised after the transaction, so that the deletion of an expired challenge is committed.
    if problem is not None:
        raise problem
    return json_answer(answer)


@dataclass(frozen=True, slots=True)
class _Attempt:
    session: Session
    factor: Factor
    challenge_id: UUID
    code: str
    ip_address: str


async def _check(api: AuthApi, connection: Connection, attempt: _Attempt) -> AuthError | None:
    """Use up a challenge and a code. Return why they do not count, None if they do."""
    secret = await factors.lock_secret(connection, attempt.factor)
    begun = await factors.lock_challenge(connection, attempt.factor, attempt.challenge_id)
    if secret is None or begun is None:
        return unprocessable("mfa_factor_not_found", "MFA factor with the provided challenge ID not found")
    if begun.verified_at is not None or not _same_address(begun.ip_address, attempt.ip_address):
        return unprocessable("mfa_ip_address_mismatch", "Challenge and verify IP addresses mismatch.")
    if datetime.now(UTC) > begun.created_at + timedelta(seconds=api.settings.challenge_expiry):
        await factors.delete_challenge(connection, begun)
        return unprocessable("mfa_challenge_expired", _EXPIRED.format(begun.id))
    step = totp.matching_step(secret.text, attempt.code, api.context.verifier.now())
    if step is None or step <= secret.used_step:
        return unprocessable(_WRONG_CODE, "Invalid TOTP code entered")
    await factors.finish_challenge(connection, begun, step)
    if not secret.is_verified:
        await factors.mark_verified(connection, attempt.factor)
    return None


async def _raise_level(api: AuthApi, connection: Connection, attempt: _Attempt) -> dict[str, object]:
    """Give a session the level aal2, end the user's others without it, and return its JSON."""
    session = await sessions.lock(connection, attempt.session.id)
    user = await users.find(connection, users.Lookup.ID, attempt.session.user_id)
    if session is None or user is None:
        raise forbidden("session_not_found", "Session from session_id claim in JWT does not exist")
    token = await sessions.raise_level(connection, session, factors.TOTP, attempt.factor.id)
    await sessions.close_lower(connection, user.id)
    return await issue.session_json(api, connection, user, session.id, token)


async def unenroll(api: AuthApi, request: Request) -> Response:
    """Delete a factor. A verified one needs a session of level aal2, which then loses it."""
    async with transaction(api) as connection:
        caller, factor = await _factor_of(api, connection, request)
        if caller.session is None:
            raise unexpected("A valid session and factor are required to unenroll a factor")
        if factor.is_verified and not caller.session.has_second_factor:
            raise unprocessable("insufficient_aal", "AAL2 required to unenroll verified factor")
        await factors.delete(connection, factor)
        await sessions.lower_level(connection, factor.id, factor.factor_type)
    return json_answer({"id": factor.id})


async def _permanent_caller(api: AuthApi, connection: Connection, request: Request) -> Caller:
    caller = await caller_of(api, connection, request)
    if caller.user.is_anonymous:
        raise forbidden("no_authorization", "Anonymous user not allowed to perform these actions")
    return caller


async def _factor_of(api: AuthApi, connection: Connection, request: Request) -> tuple[Caller, Factor]:
    """Return the caller and the factor of theirs that the address names."""
    caller = await _permanent_caller(api, connection, request)
    return caller, find_factor(caller.user, request)


def find_factor(user: User, request: Request) -> Factor:
    """Return the factor of a user that the address of a request names. Raises `AuthError` 404 without one."""
    wrong = not_found("validation_failed", "factor_id must be an UUID")
    factor_id = str(validate_uuid(request.path_params["factor_id"], wrong))
    found = next((factor for factor in user.factors if factor.id == factor_id), None)
    if found is None:
        raise not_found("mfa_factor_not_found", "Factor not found")
    return found


def _check_another(api: AuthApi, caller: Caller, name: str) -> None:
    """Raise `AuthError` if the caller may not have one more factor of this name."""
    if caller.session is None:
        raise unexpected(_NO_SESSION)
    enrolled = caller.user.factors
    if any(factor.friendly_name == name for factor in enrolled):
        message = f'A factor with the friendly name "{name}" for this user already exists'
        raise unprocessable("mfa_factor_name_conflict", message)
    if len(enrolled) >= api.settings.max_enrolled_factors:
        raise unprocessable("too_many_enrolled_mfa_factors", _TOO_MANY)
    if caller.user.has_second_factor and not caller.session.has_second_factor:
        raise forbidden("insufficient_aal", "AAL2 required to enroll a new factor")


def _own_issuer(api: AuthApi) -> str:
    return urlsplit(api.settings.site_url).netloc


def _refuse_if_off(api: AuthApi) -> None:
    if not api.settings.totp_verify:
        raise unprocessable("mfa_totp_verify_not_enabled", "MFA verification is disabled for TOTP")


def _challenge_id(body: Body) -> UUID:
    text = body.text("challenge_id")
    wrong = bad_request(
        "bad_json", f"Could not parse request body as JSON: uuid: incorrect UUID format {text}"
    )
    return validate_uuid(text, wrong) if text else _NO_CHALLENGE


def _same_address(former: str, present: str) -> bool:
    """Return whether two addresses are one client's; anybody on this machine can have any loopback one."""
    one, other = ipaddress.ip_address(former), ipaddress.ip_address(present)
    return one == other or (one.is_loopback and other.is_loopback)

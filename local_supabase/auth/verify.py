"""``/verify``: exchanges a code or a link of a mail for a session.

Source: github.com/supabase/auth, ``internal/api/verify.go``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from local_supabase.auth import accounts, flow, issue, one_time, tokens, users
from local_supabase.auth.api import AuthApi, client_of, json_answer, limit_key, transaction
from local_supabase.auth.body import Body, read_body
from local_supabase.auth.errors import AuthError, bad_request, forbidden, invalid
from local_supabase.auth.limits import refuse_if_over
from local_supabase.auth.models import User
from local_supabase.auth.one_time import TokenType
from local_supabase.auth.users import Changes, Column, Lookup
from local_supabase.auth.validation import validate_email, validate_phone
from local_supabase.database import Connection

HALF_CONFIRMED = "Confirmation link accepted. Please proceed to confirm link sent to the other email"
PHONE_TYPES = ("sms", "phone_change")

_KINDS: Mapping[str, tuple[TokenType, ...]] = {
    "email": (TokenType.CONFIRMATION, TokenType.RECOVERY),
    "signup": (TokenType.CONFIRMATION,),
    "invite": (TokenType.CONFIRMATION,),
    "recovery": (TokenType.RECOVERY,),
    "magiclink": (TokenType.RECOVERY,),
    "email_change": (TokenType.EMAIL_CHANGE_CURRENT, TokenType.EMAIL_CHANGE_NEW),
}
# The authentication method of a PKCE flow, by the type of its link.
_METHODS: Mapping[str, str] = {
    "signup": "email/signup",
    "invite": "invite",
    "recovery": "recovery",
    "magiclink": "magiclink",
    "email_change": "email_change",
}
_OAUTH_ERRORS: Mapping[int, str] = {
    400: "invalid_request",
    401: "unauthorized_client",
    403: "access_denied",
    500: "server_error",
    503: "temporarily_unavailable",
}


@dataclass(frozen=True, slots=True)
class Presented:
    """What is presented: the hash of a link, or the hash of a code with the address that the code went to."""

    type: str
    hash: str
    email: str = ""


async def verify_post(api: AuthApi, request: Request) -> Response:
    """Exchange a code, or the hash of a link, for a session."""
    refuse_if_over(api.buckets.verifications, limit_key(request))
    presented = _read_presented(await read_body(request))
    if presented.email:
        refuse_if_over(api.buckets.wrong_codes, presented.email)
    async with transaction(api) as connection:
        user = await _verify(api, connection, presented)
        if presented.email:
            api.buckets.wrong_codes.give_back(presented.email)
        if user is None:
            return json_answer({"msg": HALF_CONFIRMED, "code": str(int(HTTPStatus.OK))})
        session = await issue.sign_in(api, connection, user, "otp", client_of(request))
    return json_answer(session)


def _read_presented(body: Body) -> Presented:
    kind, token, hashed = body.text("type"), body.text("token"), body.text("token_hash")
    email, phone = body.text("email"), body.text("phone")
    if not kind:
        raise invalid("Verify requires a verification type")
    if bool(token) == bool(hashed):
        raise invalid("Verify requires either a token or a token hash")
    if hashed:
        if email or phone or body.text("redirect_to"):
            raise invalid("Only the token_hash and type should be provided")
        return Presented(kind, hashed)
    if bool(email) == bool(phone):
        raise invalid("Only an email address or phone number should be provided on verify")
    if phone:
        validate_phone(phone)
    if phone or kind in PHONE_TYPES:
        # This server sends no codes to phones, so none can be right.
        raise forbidden("otp_expired", "Token has expired or is invalid")
    email = validate_email(email)
    return Presented(kind, tokens.token_hash(email, token), email)


async def verify_get(api: AuthApi, request: Request) -> Response:
    """Follow a link of a mail: redirect with the session, a PKCE code or the error in the URL."""
    refuse_if_over(api.buckets.verifications, limit_key(request))
    kind, token = request.query_params.get("type", ""), request.query_params.get("token", "")
    if not kind:
        raise invalid("Verify requires a verification type")
    if not token:
        raise invalid("Verify requires a token or a token hash")
    pkce = token.startswith(tokens.PKCE_PREFIX)
    if pkce and kind not in _METHODS:
        raise bad_request("validation_failed", "Unsupported verification type")
    target = one_time.redirect_target(api, request)
    try:
        async with transaction(api) as connection:
            user = await _verify(api, connection, Presented(kind, token))
            if user is None:
                return _redirect(target, {"message": HALF_CONFIRMED}, {"message": HALF_CONFIRMED}, pkce=pkce)
            if pkce:
                code = await _pkce_code(connection, user, kind)
                return _redirect(target, {"code": code}, {}, pkce=True)
            session = await issue.sign_in(api, connection, user, "otp", client_of(request))
    except AuthError as error:
        values = {"error_code": error.code, "error_description": error.message}
        if error.status in _OAUTH_ERRORS:
            values["error"] = _OAUTH_ERRORS[error.status]
        return _redirect(target, values, values, pkce=pkce)
    fragment = {name: str(value) for name, value in session.items() if name != "user"}
    return _redirect(target, {}, fragment | {"type": kind}, pkce=False)


async def _pkce_code(connection: Connection, user: User, kind: str) -> str:
    code = await flow.issue_code(connection, user, _METHODS[kind])
    if code is None:
        message = "No associated flow state found. No valid flow state found for user."
        raise bad_request("flow_state_not_found", message)
    return code


def _redirect(
    target: str, query: Mapping[str, str], fragment: Mapping[str, str], *, pkce: bool
) -> RedirectResponse:
    """Redirect to the target with values in the fragment and, in the PKCE flow, in the query."""
    parts = urlsplit(target)
    if pkce:
        merged = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **query}
        parts = parts._replace(query=urlencode(sorted(merged.items())))
    if fragment:
        parts = parts._replace(fragment=urlencode(sorted(fragment.items())))
    return RedirectResponse(urlunsplit(parts), HTTPStatus.SEE_OTHER)


async def _verify(api: AuthApi, connection: Connection, presented: Presented) -> User | None:
    """Use up what is presented and return the user; None if another address must still confirm."""
    if presented.type not in _KINDS:
        raise invalid("Invalid email verification type")
    user = await _owner(connection, presented)
    by_link = not presented.email
    message = "Email link is invalid or has expired" if by_link else "Token has expired or is invalid"
    if user is None:
        raise forbidden("otp_expired", message)
    if user.is_banned:
        raise forbidden("user_banned", "User is banned")
    kind = _valid_kind(api, user, presented)
    if kind is None:
        raise forbidden("otp_expired", message)
    verified = await _apply(api, connection, user, replace(presented, type=kind))
    if verified is None:
        return None
    return await accounts.refresh_providers(connection, verified)


async def _owner(connection: Connection, presented: Presented) -> User | None:
    """Return the user to check: found by the address of a code, or else by the hash."""
    if presented.email and presented.type != "email_change":
        return await users.find(connection, Lookup.EMAIL, presented.email)
    kinds = _KINDS[presented.type]
    user = await one_time.find_user(connection, presented.hash, *kinds)
    if user is None and presented.email:
        user = await one_time.find_user(connection, tokens.PKCE_PREFIX + presented.hash, *kinds)
    return user


def _valid_kind(api: AuthApi, user: User, presented: Presented) -> str | None:
    """Return the type that the hash is valid for ("email" stands for two types), None if for none."""

    def matches(stored: str, sent_at: datetime | None) -> bool:
        tries = api.buckets.wrong_tries
        # A code is short, so it is used up after some wrong ones. The hash of a link cannot be guessed.
        if presented.email and stored and not tries.take(stored):
            return False
        valid = tokens.otp_matches(
            presented.hash.removeprefix(tokens.PKCE_PREFIX), stored, sent_at, api.settings.otp_expiry
        )
        if valid:
            tries.give_back(stored)
        return valid

    def confirmation() -> bool:
        return matches(user.confirmation_token, user.confirmation_sent_at)

    def recovery() -> bool:
        return matches(user.recovery_token, user.recovery_sent_at)

    if presented.type == "email":
        return "signup" if confirmation() else "magiclink" if recovery() else None
    if presented.type in ("signup", "invite"):
        return presented.type if confirmation() else None
    if presented.type in ("recovery", "magiclink"):
        return presented.type if recovery() else None
    sent_at = user.email_change_sent_at
    changes = (user.email_change_token_current, user.email_change_token_new)
    return presented.type if any(matches(stored, sent_at) for stored in changes) else None


async def _apply(api: AuthApi, connection: Connection, user: User, presented: Presented) -> User | None:
    if presented.type in ("signup", "invite"):
        if user.email:
            await users.update_identity(connection, user, "email", {"email_verified": True})
        return await accounts.confirm(connection, user)
    if presented.type in ("recovery", "magiclink"):
        await one_time.clear(connection, user)
        user = await users.update(connection, user, {Column.RECOVERY_TOKEN: ""})
        return user if user.is_confirmed else await accounts.confirm(connection, user)
    if _needs_both(api, user):
        await _confirm_half(connection, user, presented.hash)
        return None
    return await accounts.adopt_email(connection, user, user.email_change)


def _needs_both(api: AuthApi, user: User) -> bool:
    """Return whether this is the first of the two confirmations that a change of address needs."""
    wanted = api.settings.double_confirm_changes and not api.settings.autoconfirm
    return wanted and user.email_change_confirm_status == 0 and bool(user.email)


async def _confirm_half(connection: Connection, user: User, hashed: str) -> None:
    by_current = user.email_change_token_current.removeprefix(tokens.PKCE_PREFIX) == hashed.removeprefix(
        tokens.PKCE_PREFIX
    )
    kind = TokenType.EMAIL_CHANGE_CURRENT if by_current else TokenType.EMAIL_CHANGE_NEW
    column = Column.EMAIL_CHANGE_TOKEN_CURRENT if by_current else Column.EMAIL_CHANGE_TOKEN_NEW
    await one_time.clear(connection, user, kind)
    changes: Changes = {Column.EMAIL_CHANGE_CONFIRM_STATUS: 1, column: ""}
    await users.update(connection, user, changes)

"""``POST /admin/generate_link``: makes the link of a mail, for an administrator who sends it in another way.

Source: github.com/supabase/auth, ``internal/api/mail.go``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import accounts, one_time, passwords, redirects, users
from local_supabase.auth.api import AuthApi, json_answer, require_admin, transaction
from local_supabase.auth.body import Body, read_body
from local_supabase.auth.errors import AuthError, invalid, not_found, unprocessable
from local_supabase.auth.models import User
from local_supabase.auth.one_time import Code, TokenType
from local_supabase.auth.users import Changes, Column, Lookup
from local_supabase.auth.validation import validate_email
from local_supabase.database import Connection

_TYPES = ("signup", "invite", "magiclink", "recovery", "email_change_current", "email_change_new")
_FOR_EXISTING = ("recovery", "email_change_current", "email_change_new")


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """The link to make, with the password hash of the user if one is created."""

    kind: str
    email: str
    new_email: str
    password_hash: str
    data: dict[str, object]


async def generate_link(api: AuthApi, request: Request) -> Response:
    """Return a link and its code, without sending a mail."""
    require_admin(api, request)
    body = await read_body(request)
    requested = await _read(api, body)
    async with accounts.saving_new_user(), transaction(api) as connection:
        user = await users.find(connection, Lookup.EMAIL, requested.email)
        if user is not None and user.is_confirmed and requested.kind in ("signup", "invite"):
            raise unprocessable("email_exists", accounts.DUPLICATE_EMAIL)
        if user is None:
            user = await _create(connection, requested)
        recipient = requested.new_email if requested.kind == "email_change_new" else requested.email
        code = one_time.new_code(api, recipient)
        user = await _keep(connection, user, requested, code)
    return json_answer(_answer(api, request, body, user, requested, code))


def _answer(
    api: AuthApi, request: Request, body: Body, user: User, requested: LinkRequest, code: Code
) -> dict[str, object]:
    target = body.text("redirect_to")
    if not redirects.allowed(api.settings, target):
        target = one_time.redirect_target(api, request)
    link_type = "email_change" if requested.kind.startswith("email_change") else requested.kind
    return user.to_json() | {
        "action_link": one_time.action_link(api, link_type, code.hash, target),
        "email_otp": code.otp,
        "hashed_token": code.hash,
        "verification_type": requested.kind,
        "redirect_to": target,
    }


async def _read(api: AuthApi, body: Body) -> LinkRequest:
    kind, email = body.text("type"), validate_email(body.text("email"))
    if kind not in _TYPES:
        raise invalid(f"Invalid email action link type requested: {kind}")
    new_email = ""
    if kind.startswith("email_change"):
        if kind == "email_change_current" and not api.settings.double_confirm_changes:
            raise invalid("Enable secure email change to generate link for current email")
        new_email = validate_email(body.text("new_email"))
    async with api.context.database.as_admin() as connection:
        known = await users.find(connection, Lookup.EMAIL, email)
        if new_email:
            await _refuse_taken(connection, known, new_email)
    password_hash = ""
    if known is None:
        if kind in _FOR_EXISTING:
            raise not_found("user_not_found", "User with this email not found")
        kind, password_hash = await _new_password(api, kind, body.text("password"))
    return LinkRequest(kind, email, new_email, password_hash, body.mapping("data") or {})


async def _refuse_taken(connection: Connection, known: User | None, new_email: str) -> None:
    other = await users.find(connection, Lookup.EMAIL_OR_IDENTITY, new_email)
    if other is not None and (known is None or other.id != known.id):
        raise unprocessable("email_exists", accounts.DUPLICATE_EMAIL)


async def _new_password(api: AuthApi, kind: str, password: str) -> tuple[str, str]:
    """Return type and password hash for an address without an account; a magic link signs it up."""
    if kind == "invite":
        return kind, ""
    if kind == "magiclink":
        return "signup", await api.hasher.hash(passwords.random_password())
    if not password:
        raise invalid("Signup requires a valid password")
    passwords.check_strength(password, api.settings.minimum_password_length, api.settings.required_characters)
    return kind, await api.hasher.hash(password)


async def _create(connection: Connection, requested: LinkRequest) -> User:
    if requested.kind not in ("signup", "invite"):  # the user was deleted during the request
        raise _gone()
    return await accounts.create_by_email(
        connection, requested.email, requested.password_hash, requested.data
    )


def _gone() -> AuthError:
    return not_found("user_not_found", "User with this email not found")


async def _keep(connection: Connection, user: User, requested: LinkRequest, code: Code) -> User:
    """Store the code as sending the mail of its type would."""
    now = datetime.now(UTC)
    changes: Changes
    if requested.kind in ("magiclink", "recovery"):
        token_type = TokenType.RECOVERY
        changes = {Column.RECOVERY_TOKEN: code.hash, Column.RECOVERY_SENT_AT: now}
    elif requested.kind in ("signup", "invite"):
        token_type = TokenType.CONFIRMATION
        changes = {Column.CONFIRMATION_TOKEN: code.hash, Column.CONFIRMATION_SENT_AT: now}
        if requested.kind == "invite":
            changes = {**changes, Column.INVITED_AT: now}
        elif requested.data:
            changes = {**changes, **users.user_metadata_change(user, requested.data)}
    else:
        token_type, column = TokenType.EMAIL_CHANGE_NEW, Column.EMAIL_CHANGE_TOKEN_NEW
        if requested.kind == "email_change_current":
            token_type = TokenType.EMAIL_CHANGE_CURRENT
            column = Column.EMAIL_CHANGE_TOKEN_CURRENT
        changes = {
            column: code.hash,
            Column.EMAIL_CHANGE: requested.new_email,
            Column.EMAIL_CHANGE_SENT_AT: now,
            Column.EMAIL_CHANGE_CONFIRM_STATUS: 0,
        }
    recipient = requested.new_email if requested.kind == "email_change_new" else user.email
    await one_time.store(connection, user, token_type, recipient, code.hash)
    return await users.update(connection, user, changes)

"""The endpoints for administrators: ``/admin/users`` and ``/invite``.

Source: github.com/supabase/auth, ``internal/api/admin.go`` and ``invite.go``.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from local_supabase.auth import accounts, factors, one_time, passwords, sessions, users
from local_supabase.auth.api import AUDIENCE, AuthApi, json_answer, require_admin, transaction
from local_supabase.auth.body import Body, parse_body, read_body, read_raw
from local_supabase.auth.errors import invalid, not_found, not_supported, unexpected, unprocessable
from local_supabase.auth.models import User
from local_supabase.auth.users import Changes, Column, Lookup
from local_supabase.auth.validation import (
    parse_duration,
    validate_email,
    validate_phone,
    validate_uuid,
)
from local_supabase.database import Connection

_PER_PAGE = 50
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class AdminUserRequest:
    """The body of a request to create or update a user; "" and None leave a value unchanged."""

    id: UUID | None
    audience: str
    role: str
    email: str
    phone: str
    password: str | None
    password_hash: str
    email_confirm: bool
    phone_confirm: bool
    user_metadata: Mapping[str, object] | None
    app_metadata: Mapping[str, object] | None
    ban: timedelta | None

    @classmethod
    def read(cls, body: Body) -> "AdminUserRequest":
        """Read and check a body. Raises `AuthError` for a value that breaks a rule."""
        email, phone, user_id = body.text("email"), body.text("phone"), body.text("id")
        wrong_id = invalid("ID must conform to the uuid v4 format")
        return cls(
            id=validate_uuid(user_id, wrong_id) if user_id else None,
            audience=body.text("aud"),
            role=body.text("role"),
            email=validate_email(email) if email else "",
            phone=validate_phone(phone) if phone else "",
            password=body.optional_text("password"),
            password_hash=body.text("password_hash"),
            email_confirm=body.flag("email_confirm"),
            phone_confirm=body.flag("phone_confirm"),
            user_metadata=body.mapping("user_metadata"),
            app_metadata=body.mapping("app_metadata"),
            ban=_read_ban(body.text("ban_duration")),
        )


def _read_ban(text: str) -> timedelta | None:
    if not text:
        return None
    if text == "none":
        return timedelta(0)
    try:
        return parse_duration(text)
    except ValueError as error:
        raise invalid(f"invalid format for ban duration: {error}") from None


async def list_users(api: AuthApi, request: Request) -> Response:
    """Return a page of users, newest first, with the total in ``X-Total-Count``."""
    require_admin(api, request)
    page = _page_number(request, "page", 1)
    per_page = _page_number(request, "per_page", _PER_PAGE)
    if per_page == 0:
        raise invalid("Bad Pagination Parameters: per_page must be greater than 0")
    requested = request.query_params.get("filter", "")
    pattern = f"%{requested}%" if requested and "\0" not in requested else None
    async with api.context.database.as_admin() as connection:
        found, total = await users.page(
            connection,
            audience=AUDIENCE,
            pattern=pattern,
            limit=per_page,
            offset=max(page - 1, 0) * per_page,
        )
    answer = json_answer({"users": [user.to_json() for user in found], "aud": AUDIENCE})
    answer.headers["X-Total-Count"] = str(total)
    answer.headers["Link"] = _page_links(request, page, -(-total // per_page))
    return answer


def _page_number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        message = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise invalid(f"Bad Pagination Parameters: {message}")
    return min(int(text[:20]), _LARGEST)


def _page_links(request: Request, page: int, pages: int) -> str:
    """Return the ``Link`` header, from which clients read the number of the last page."""

    def link(number: int, relation: str) -> str:
        query = sorted({**request.query_params, "page": str(number)}.items())
        return f'<{request.url.path}?{urlencode(query)}>; rel="{relation}"'

    following = f"{link(page + 1, 'next')}, " if pages > page else ""
    return following + link(pages, "last")


async def load_user(connection: Connection, request: Request) -> User:
    """Return the user that the address of a request names. Raises `AuthError` 404 without one."""
    wrong = not_found("validation_failed", "user_id must be an UUID")
    user_id = validate_uuid(request.path_params["user_id"], wrong)
    user = await users.find(connection, Lookup.ID, str(user_id))
    if user is None:
        raise not_found("user_not_found", "User not found")
    return user


async def get_user(api: AuthApi, request: Request) -> Response:
    """Return one user."""
    require_admin(api, request)
    async with api.context.database.as_admin() as connection:
        user = await load_user(connection, request)
    return json_answer(user.to_json())


async def create_user(api: AuthApi, request: Request) -> Response:
    """Create a user; the address is confirmed only with ``email_confirm``."""
    require_admin(api, request)
    requested = AdminUserRequest.read(await read_body(request))
    if not requested.email and not requested.phone:
        raise invalid("Cannot create a user without either an email or phone")
    if requested.password is not None and requested.password_hash:
        raise invalid("Only a password or a password hash should be provided")
    password_hash = await _password_hash(api, requested)
    try:
        async with transaction(api) as connection:
            await _refuse_duplicate(connection, requested, None)
            user = await _insert(connection, requested, password_hash)
            user = await _apply(connection, user, requested)
    except asyncpg.UniqueViolationError as error:
        raise unexpected("Database error creating new user") from error
    except asyncpg.RaiseError as error:  # raised by a trigger of the project
        raise unexpected("Database error creating new user") from error
    return json_answer(user.to_json())


async def _password_hash(api: AuthApi, requested: AdminUserRequest) -> str:
    if requested.password_hash:
        if not passwords.is_bcrypt_hash(requested.password_hash):
            raise not_supported("Of password hashes only bcrypt's are supported here")
        return requested.password_hash
    password = requested.password or passwords.random_password()
    if len(password.encode()) > passwords.MAX_BYTES:
        raise invalid("bcrypt: password length exceeds 72 bytes")
    return await api.hasher.hash(password)


async def _refuse_duplicate(connection: Connection, requested: AdminUserRequest, user: User | None) -> None:
    own = user.id if user else None
    if requested.email:
        other = await users.find(connection, Lookup.EMAIL_OR_IDENTITY, requested.email)
        if other is not None and other.id != own:
            raise unprocessable("email_exists", accounts.DUPLICATE_EMAIL)
    if requested.phone:
        other = await users.find(connection, Lookup.PHONE, requested.phone)
        if other is not None and other.id != own:
            message = "Phone number already registered by another user"
            raise unprocessable("phone_exists", message)


async def _insert(connection: Connection, requested: AdminUserRequest, password_hash: str) -> User:
    providers = [name for name, value in (("email", requested.email), ("phone", requested.phone)) if value]
    new = users.NewUser(
        requested.audience or AUDIENCE,
        requested.role or accounts.ROLE,
        app_metadata={"provider": providers[0], "providers": providers},
        user_metadata=requested.user_metadata or {},
        email=requested.email,
        phone=requested.phone,
        password_hash=password_hash,
        id=requested.id,
    )
    user = await users.insert(connection, new)
    if requested.email:
        await users.add_identity(connection, user, "email", accounts.identity_data(user, requested.email))
    if requested.phone:
        await users.add_identity(connection, user, "phone", _phone_identity(user, requested))
    return await users.reload(connection, user)


def _phone_identity(user: User, requested: AdminUserRequest) -> dict[str, object]:
    return {
        "sub": user.id,
        "phone": requested.phone,
        "phone_verified": requested.phone_confirm,
        "email_verified": False,
    }


async def _apply(connection: Connection, user: User, requested: AdminUserRequest) -> User:
    """Confirm, merge ``app_metadata`` and ban: the common part of creating and updating."""
    if requested.app_metadata is not None:
        changes = users.app_metadata_change(user, requested.app_metadata)
        user = await users.update(connection, user, changes)
    if requested.email_confirm:
        user = await accounts.confirm(connection, user)
    if requested.phone_confirm:
        confirmed: Changes = {Column.PHONE_CONFIRMED_AT: datetime.now(UTC)}
        user = await users.update(connection, user, confirmed)
    if requested.ban is not None:
        until = datetime.now(UTC) + requested.ban if requested.ban else None
        user = await users.update(connection, user, {Column.BANNED_UNTIL: until})
    return user


async def update_user(api: AuthApi, request: Request) -> Response:
    """Update a user; a new password signs the user out everywhere."""
    require_admin(api, request)
    async with api.context.database.as_admin() as connection:
        user = await load_user(connection, request)
    requested = AdminUserRequest.read(await read_body(request))
    password_hash = None
    if requested.password is not None:
        passwords.check_strength(
            requested.password, api.settings.minimum_password_length, api.settings.required_characters
        )
        password_hash = await api.hasher.hash(requested.password)
    try:
        async with transaction(api) as connection:
            user = await load_user(connection, request)
            await _refuse_duplicate(connection, requested, user)
            user = await _change(connection, user, requested, password_hash)
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.RaiseError) as error:
        raise unexpected("Error updating user") from error
    return json_answer(user.to_json())


async def _change(
    connection: Connection, user: User, requested: AdminUserRequest, password_hash: str | None
) -> User:
    if requested.role:
        user = await users.update(connection, user, {Column.ROLE: requested.role})
    if password_hash is not None:
        user = await accounts.change_password(connection, user, password_hash, None)
    if requested.email:
        user = await _change_email(connection, user, requested)
    if requested.phone:
        user = await _change_phone(connection, user, requested)
    user = await _apply(connection, user, requested)
    if requested.user_metadata is not None:
        changes = users.user_metadata_change(user, requested.user_metadata)
        user = await users.update(connection, user, changes)
    return user


async def _change_email(connection: Connection, user: User, requested: AdminUserRequest) -> User:
    data = accounts.identity_data(user, requested.email, verified=requested.email_confirm)
    if user.identity_of("email") is None:
        await users.add_identity(connection, user, "email", data)
    else:
        updates = {"email": requested.email, "email_verified": requested.email_confirm}
        await users.update_identity(connection, user, "email", updates)
    anonymous = user.is_anonymous and not requested.email_confirm
    changes: Changes = {Column.EMAIL: requested.email, Column.IS_ANONYMOUS: anonymous}
    return await users.update(connection, user, changes)


async def _change_phone(connection: Connection, user: User, requested: AdminUserRequest) -> User:
    if user.identity_of("phone") is None:
        await users.add_identity(connection, user, "phone", _phone_identity(user, requested))
    else:
        updates = {"phone": requested.phone, "phone_verified": requested.phone_confirm}
        await users.update_identity(connection, user, "phone", updates)
    anonymous = user.is_anonymous and not requested.phone_confirm
    changes: Changes = {Column.PHONE: requested.phone, Column.IS_ANONYMOUS: anonymous}
    return await users.update(connection, user, changes)


async def delete_user(api: AuthApi, request: Request) -> Response:
    """Delete a user; with ``should_soft_delete``, keep the row but erase what identifies the person."""
    require_admin(api, request)
    raw = await read_raw(request)
    soft = parse_body(raw).flag("should_soft_delete") if raw else False
    try:
        async with transaction(api) as connection:
            user = await load_user(connection, request)
            if not soft:
                await users.delete(connection, user)
            elif user.deleted_at is None:
                await _soft_delete(connection, user)
    except asyncpg.IntegrityConstraintViolationError as error:  # a row of the project references the user
        raise unexpected("Database error deleting user") from error
    return json_answer({})


async def _soft_delete(connection: Connection, user: User) -> None:
    def obscured(value: str) -> str:
        digest = hashlib.sha256((user.id + value).encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    changes: Changes = {
        Column.EMAIL: obscured(user.email),
        Column.PHONE: obscured(user.phone)[:15],
        Column.EMAIL_CHANGE: obscured(user.email_change),
        Column.PASSWORD: None,
        Column.CONFIRMATION_TOKEN: "",
        Column.RECOVERY_TOKEN: "",
        Column.EMAIL_CHANGE_TOKEN_CURRENT: "",
        Column.EMAIL_CHANGE_TOKEN_NEW: "",
        Column.DELETED_AT: datetime.now(UTC),
        Column.USER_METADATA: "{}",
        Column.APP_METADATA: "{}",
    }
    await one_time.clear(connection, user)
    await sessions.close_all(connection, user.id)
    await factors.delete_all(connection, user.id)
    await users.update(connection, user, changes)
    for identity in user.identities:
        await users.obscure_identity(connection, identity.id, obscured(identity.provider_id))


async def invite(api: AuthApi, request: Request) -> Response:
    """Create an account for an address and send it an invitation."""
    require_admin(api, request)
    body = await read_body(request)
    email = validate_email(body.text("email"))
    data = body.mapping("data") or {}
    async with accounts.saving_new_user(), transaction(api) as connection:
        user = await users.find(connection, Lookup.EMAIL, email)
        if user is not None and user.is_confirmed:
            raise unprocessable("email_exists", accounts.DUPLICATE_EMAIL)
        if user is None:
            user = await accounts.create_by_email(connection, email, "", data)
        user = await one_time.send_invitation(api, connection, request, user)
    return json_answer(user.to_json())

"""One-time codes: generated, stored as hashes, sent by mail, and looked up when they are used."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request

from local_supabase.auth import redirects, tokens, users
from local_supabase.auth.api import AuthApi
from local_supabase.auth.errors import too_many
from local_supabase.auth.mailbox import SUBJECTS, Mail, MailKind, new_mail_id
from local_supabase.auth.models import User, rfc3339
from local_supabase.auth.users import Changes, Column
from local_supabase.database import Connection


class TokenType(StrEnum):
    """The values of the enum ``auth.one_time_token_type`` that Auth uses here."""

    CONFIRMATION = "confirmation_token"
    REAUTHENTICATION = "reauthentication_token"
    RECOVERY = "recovery_token"
    EMAIL_CHANGE_NEW = "email_change_token_new"
    EMAIL_CHANGE_CURRENT = "email_change_token_current"


@dataclass(frozen=True, slots=True)
class Code:
    """A new code and its hash as stored, which has a prefix in the PKCE flow."""

    otp: str
    hash: str


def new_code(api: AuthApi, recipient: str, *, pkce: bool = False) -> Code:
    """Return a new code for an address."""
    otp = tokens.new_otp(api.settings.otp_length)
    hashed = tokens.token_hash(recipient, otp)
    return Code(otp, tokens.PKCE_PREFIX + hashed if pkce else hashed)


async def store(connection: Connection, user: User, kind: TokenType, recipient: str, hashed: str) -> None:
    """Store a hash, replacing the user's former one of this kind."""
    await clear(connection, user, kind)
    await connection.execute(
        """
        insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
        values (gen_random_uuid(), $1, $2, $3, $4)
        """,
        UUID(user.id),
        kind.value,
        hashed,
        recipient.lower(),
    )


async def clear(connection: Connection, user: User, kind: TokenType | None = None) -> None:
    """Delete the user's hashes of one kind, or all of them."""
    await connection.execute(
        """
        delete from auth.one_time_tokens
         where user_id = $1 and ($2::text is null or token_type::text = $2)
        """,
        UUID(user.id),
        kind.value if kind else None,
    )


async def find_user(connection: Connection, hashed: str, *kinds: TokenType) -> User | None:
    """Return the user with this hash, of one of these kinds; None without one."""
    user_id = await connection.fetchval(
        """
        select user_id::text from auth.one_time_tokens
         where token_hash = $1 and token_type::text = any($2::text[])
        """,
        hashed,
        [kind.value for kind in kinds],
    )
    return None if user_id is None else await users.find(connection, users.Lookup.ID, user_id)


def check_interval(sent_at: datetime | None, interval: timedelta) -> None:
    """Raise an `AuthError` 429 when the last mail was sent less than the interval ago."""
    if sent_at is None:
        return
    left = (sent_at + interval - datetime.now(UTC)).total_seconds()
    if left > 0:
        message = f"For security purposes, you can only request this after {int(left)} seconds."
        raise too_many("over_email_send_rate_limit", message)


def redirect_target(api: AuthApi, request: Request) -> str:
    """Return the URL that the link of a mail redirects to."""
    wanted = request.headers.get("redirect_to") or request.query_params.get("redirect_to")
    return redirects.choose(api.settings, wanted, request.headers.get("referer"))


def action_link(api: AuthApi, kind: str, hashed: str, target: str) -> str:
    """Return the link that verifies a hash and then redirects to the target."""
    query = urlencode({"token": hashed, "type": kind, "redirect_to": target})
    return f"{api.issuer}/verify?{query}"


async def send(api: AuthApi, request: Request, kind: MailKind, recipient: str, code: Code) -> None:
    """Deliver a mail with a code, and with the equivalent link, to the mailbox."""
    if not api.buckets.emails.take("mails"):
        raise too_many("over_email_send_rate_limit", "email rate limit exceeded")
    link = ""
    if kind is not MailKind.REAUTHENTICATION:
        link = action_link(api, kind.value, code.hash, redirect_target(api, request))
    sent_at = rfc3339(datetime.now(UTC))
    await api.mailbox.deliver(Mail(new_mail_id(), kind, recipient, SUBJECTS[kind], code.otp, link, sent_at))


async def send_confirmation(
    api: AuthApi, connection: Connection, request: Request, user: User, *, pkce: bool = False
) -> User:
    """Ask a new user to confirm the address."""
    check_interval(user.confirmation_sent_at, api.settings.email_interval)
    code = new_code(api, user.email, pkce=pkce)
    await send(api, request, MailKind.SIGNUP, user.email, code)
    await store(connection, user, TokenType.CONFIRMATION, user.email, code.hash)
    changes: Changes = {Column.CONFIRMATION_TOKEN: code.hash, Column.CONFIRMATION_SENT_AT: datetime.now(UTC)}
    return await users.update(connection, user, changes)


async def send_recovery(
    api: AuthApi, connection: Connection, request: Request, user: User, kind: MailKind, *, pkce: bool
) -> User:
    """Send a recovery mail or a magic link; as in GoTrue, both use the same stored code."""
    check_interval(user.recovery_sent_at, api.settings.email_interval)
    code = new_code(api, user.email, pkce=pkce)
    await send(api, request, kind, user.email, code)
    await store(connection, user, TokenType.RECOVERY, user.email, code.hash)
    changes: Changes = {Column.RECOVERY_TOKEN: code.hash, Column.RECOVERY_SENT_AT: datetime.now(UTC)}
    return await users.update(connection, user, changes)


async def send_invitation(api: AuthApi, connection: Connection, request: Request, user: User) -> User:
    """Send an invitation to a user whom an administrator created."""
    code = new_code(api, user.email)
    await send(api, request, MailKind.INVITE, user.email, code)
    await store(connection, user, TokenType.CONFIRMATION, user.email, code.hash)
    now = datetime.now(UTC)
    changes: Changes = {
        Column.CONFIRMATION_TOKEN: code.hash,
        Column.CONFIRMATION_SENT_AT: now,
        Column.INVITED_AT: now,
    }
    return await users.update(connection, user, changes)


async def send_reauthentication(api: AuthApi, connection: Connection, request: Request, user: User) -> User:
    """Send the nonce that a change of password may require."""
    check_interval(user.reauthentication_sent_at, api.settings.email_interval)
    code = new_code(api, user.email)
    await send(api, request, MailKind.REAUTHENTICATION, user.email, code)
    await store(connection, user, TokenType.REAUTHENTICATION, user.email, code.hash)
    changes: Changes = {
        Column.REAUTHENTICATION_TOKEN: code.hash,
        Column.REAUTHENTICATION_SENT_AT: datetime.now(UTC),
    }
    return await users.update(connection, user, changes)


async def send_email_change(
    api: AuthApi, connection: Connection, request: Request, user: User, new_email: str, *, pkce: bool
) -> User:
    """Ask the new address to confirm a change, and the old one too if the project requires both."""
    check_interval(user.email_change_sent_at, api.settings.email_interval)
    new = new_code(api, new_email, pkce=pkce)
    await send(api, request, MailKind.EMAIL_CHANGE, new_email, new)
    await store(connection, user, TokenType.EMAIL_CHANGE_NEW, new_email, new.hash)
    changes: dict[Column, str | int | datetime] = {
        Column.EMAIL_CHANGE: new_email,
        Column.EMAIL_CHANGE_TOKEN_NEW: new.hash,
        Column.EMAIL_CHANGE_SENT_AT: datetime.now(UTC),
        Column.EMAIL_CHANGE_CONFIRM_STATUS: 0,
    }
    if api.settings.double_confirm_changes and user.email:
        current = new_code(api, user.email, pkce=pkce)
        await send(api, request, MailKind.EMAIL_CHANGE, user.email, current)
        await store(connection, user, TokenType.EMAIL_CHANGE_CURRENT, user.email, current.hash)
        changes[Column.EMAIL_CHANGE_TOKEN_CURRENT] = current.hash
    return await users.update(connection, user, changes)

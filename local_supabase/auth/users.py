"""Reads and writes ``auth.users`` and ``auth.identities``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

import asyncpg
import orjson

from local_supabase.auth.errors import invalid
from local_supabase.auth.models import Metadata, User, merge_metadata
from local_supabase.database import Connection

MAX_USER_METADATA_BYTES = 16 * 1024
"""The metadata is in every access token, and servers refuse requests with long headers."""

_SELECT = """
select u.id, u.aud, u.role, u.email, u.phone, u.encrypted_password, u.email_confirmed_at, u.invited_at,
       u.phone_confirmed_at, u.confirmation_token, u.confirmation_sent_at, u.confirmed_at, u.recovery_token,
       u.recovery_sent_at, u.email_change_token_current, u.email_change_token_new, u.email_change,
       u.email_change_sent_at, u.email_change_confirm_status, u.reauthentication_token,
       u.reauthentication_sent_at, u.last_sign_in_at, u.raw_app_meta_data, u.raw_user_meta_data,
       u.created_at, u.updated_at, u.banned_until, u.deleted_at, u.is_anonymous,
       (select coalesce(json_agg(i order by i.created_at, i.id), '[]')::text
          from auth.identities i where i.user_id = u.id) as identities,
       (select coalesce(json_agg(f order by f.created_at, f.id), '[]')::text
          from (select id, user_id, friendly_name, factor_type, status, phone, created_at, updated_at,
                       last_challenged_at
                  from auth.mfa_factors where user_id = u.id) f) as factors
  from auth.users u
"""


class Lookup(StrEnum):
    """Ways to find users; each value is an SQL condition with one parameter."""

    ID = "u.id = $1::uuid"
    EMAIL = "lower(u.email) = $1 and not u.is_sso_user"
    PHONE = "u.phone = $1 and not u.is_sso_user"
    # The address may belong only to an identity, for instance of another provider.
    EMAIL_OR_IDENTITY = (
        "not u.is_sso_user and u.id in (select id from auth.users where lower(email) = $1"
        " union select user_id from auth.identities where email = $1)"
    )


class Column(StrEnum):
    """The columns of ``auth.users`` that Auth updates."""

    EMAIL = "email"
    ROLE = "role"
    PHONE = "phone"
    PASSWORD = "encrypted_password"  # noqa: S105  # the name of a column
    EMAIL_CONFIRMED_AT = "email_confirmed_at"
    PHONE_CONFIRMED_AT = "phone_confirmed_at"
    INVITED_AT = "invited_at"
    CONFIRMATION_TOKEN = "confirmation_token"  # noqa: S105  # the name of a column
    CONFIRMATION_SENT_AT = "confirmation_sent_at"
    RECOVERY_TOKEN = "recovery_token"  # noqa: S105  # the name of a column
    RECOVERY_SENT_AT = "recovery_sent_at"
    EMAIL_CHANGE = "email_change"
    EMAIL_CHANGE_TOKEN_CURRENT = "email_change_token_current"  # noqa: S105  # the name of a column
    EMAIL_CHANGE_TOKEN_NEW = "email_change_token_new"  # noqa: S105  # the name of a column
    EMAIL_CHANGE_SENT_AT = "email_change_sent_at"
    EMAIL_CHANGE_CONFIRM_STATUS = "email_change_confirm_status"
    PHONE_CHANGE_TOKEN = "phone_change_token"  # noqa: S105  # the name of a column
    PHONE_CHANGE_SENT_AT = "phone_change_sent_at"
    REAUTHENTICATION_TOKEN = "reauthentication_token"  # noqa: S105  # the name of a column
    REAUTHENTICATION_SENT_AT = "reauthentication_sent_at"
    BANNED_UNTIL = "banned_until"
    DELETED_AT = "deleted_at"
    IS_ANONYMOUS = "is_anonymous"
    APP_METADATA = "raw_app_meta_data"
    USER_METADATA = "raw_user_meta_data"


Changes = Mapping[Column, str | int | bool | datetime | None]


async def find(connection: Connection, lookup: Lookup, value: str) -> User | None:
    """Return the user that a lookup finds, the oldest of several; None without one."""
    query = f"{_SELECT} where {lookup.value} order by u.created_at limit 1"
    record = await connection.fetchrow(query, value)
    return None if record is None else User.from_record(dict(record))


async def reload(connection: Connection, user: User) -> User:
    """Return the current row of a user. Raises `LookupError` if it was deleted."""
    current = await find(connection, Lookup.ID, user.id)
    if current is None:
        raise LookupError(f"user {user.id} was deleted meanwhile")
    return current


async def page(
    connection: Connection, *, audience: str, pattern: str | None, limit: int, offset: int
) -> tuple[list[User], int]:
    """Return a page of users, newest first, and the number of all; ``pattern`` is a LIKE pattern."""
    condition = """
     where u.aud = $1 and ($2::text is null or u.email like $2 or u.raw_user_meta_data->>'full_name' ilike $2)
    """
    total = await connection.fetchval(f"select count(*) from auth.users u {condition}", audience, pattern)  # noqa: S608  # constants only
    query = f"{_SELECT} {condition} order by u.created_at desc, u.id limit $3 offset $4"
    records = await connection.fetch(query, audience, pattern, limit, offset)
    return [User.from_record(dict(record)) for record in records], int(total)


@dataclass(frozen=True, slots=True)
class NewUser:
    """The columns of an account that does not exist yet."""

    audience: str
    role: str
    app_metadata: Metadata
    user_metadata: Metadata
    email: str = ""
    phone: str = ""
    password_hash: str = ""
    is_anonymous: bool = False
    id: UUID | None = None
    """The id that an administrator chose, None for a random one."""


async def insert(connection: Connection, new: NewUser) -> User:
    """Insert a user and return the row as the project's triggers left it.

    Raises:
        AuthError: the ``user_metadata`` is too large.
        asyncpg.UniqueViolationError: the address or the id is taken.
        asyncpg.PostgresError: a trigger of the project raised it.
    """
    key = new.id or uuid4()
    await connection.execute(
        """
        insert into auth.users (instance_id, id, aud, role, email, phone, encrypted_password,
            raw_app_meta_data, raw_user_meta_data, is_anonymous, confirmation_token, recovery_token,
            email_change_token_current, email_change_token_new, email_change, phone_change,
            phone_change_token, reauthentication_token, created_at, updated_at)
        values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, nullif($4, ''), nullif($5, ''), $6,
            $7::text::jsonb, $8::text::jsonb, $9, '', '', '', '', '', '', '', '',
            clock_timestamp(), clock_timestamp())
        """,
        key,
        new.audience,
        new.role,
        new.email.lower(),
        new.phone,
        new.password_hash,
        orjson.dumps(dict(new.app_metadata)).decode(),
        _user_metadata_text(new.user_metadata),
        new.is_anonymous,
    )
    user = await find(connection, Lookup.ID, str(key))
    if user is None:  # a trigger deleted it
        raise asyncpg.NoDataFoundError("the new user is not there")
    return user


async def update(connection: Connection, user: User, changes: Changes) -> User:
    """Set columns of a user and return the updated row."""
    if changes:
        assignments = ", ".join(f"{column.value} = ${number}" for number, column in enumerate(changes, 2))
        statement = f"update auth.users set {assignments}, updated_at = clock_timestamp() where id = $1"  # noqa: S608  # names of an enum
        await connection.execute(statement, UUID(user.id), *changes.values())
    return await reload(connection, user)


def user_metadata_change(user: User, updates: Metadata, *, by_auth: bool = False) -> dict[Column, str]:
    """Return the change that merges updates into a user's ``user_metadata``.

    Arguments:
        user: the user.
        updates: what to set; null removes.
        by_auth: whether Auth notes something of its own, which needs no room below the limit.

    Raises:
        AuthError: the metadata becomes too large.
    """
    merged = merge_metadata(user.user_metadata, updates)
    text = orjson.dumps(merged).decode() if by_auth else _user_metadata_text(merged, user)
    return {Column.USER_METADATA: text}


def _user_metadata_text(metadata: Metadata, former: User | None = None) -> str:
    """Return ``user_metadata`` as it is stored. Raises `AuthError` if it has become too large."""
    # Those stored before the limit may get smaller in steps.
    allowed = max(MAX_USER_METADATA_BYTES, _size_in_token(former.user_metadata) if former else 0)
    if _size_in_token(metadata) > allowed:
        raise invalid(f"User metadata cannot be larger than {MAX_USER_METADATA_BYTES} bytes of JSON")
    return orjson.dumps(dict(metadata)).decode()


def _size_in_token(metadata: Metadata) -> int:
    # Tokens escape all that is not ASCII.
    return len(json.dumps(dict(metadata), separators=(",", ":")))


def app_metadata_change(user: User, updates: Metadata) -> dict[Column, str]:
    """Return the change that merges updates into a user's ``app_metadata``."""
    return {Column.APP_METADATA: orjson.dumps(merge_metadata(user.app_metadata, updates)).decode()}


async def delete(connection: Connection, user: User) -> None:
    """Delete a user and, by cascade, all rows that reference it."""
    await connection.execute("delete from auth.users where id = $1", UUID(user.id))


async def add_identity(connection: Connection, user: User, provider: str, data: Metadata) -> None:
    """Add an identity; ``data`` must hold ``sub``, the user's id at the provider."""
    await connection.execute(
        """
        insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at,
            created_at, updated_at)
        values (gen_random_uuid(), $1, $2, $3::text::jsonb, $4, clock_timestamp(), clock_timestamp(),
            clock_timestamp())
        """,
        str(data["sub"]),
        UUID(user.id),
        orjson.dumps(dict(data)).decode(),
        provider,
    )


async def update_identity(connection: Connection, user: User, provider: str, updates: Metadata) -> None:
    """Merge updates into the data of a user's identity of a provider, if there is one."""
    identity = user.identity_of(provider)
    if identity is None:
        return
    await connection.execute(
        """
        update auth.identities set identity_data = $2::text::jsonb, updated_at = clock_timestamp()
         where id = $1
        """,
        UUID(identity.id),
        orjson.dumps(merge_metadata(identity.data, updates)).decode(),
    )


async def obscure_identity(connection: Connection, identity_id: str, provider_id: str) -> None:
    """Erase the data of an identity and replace its ``provider_id``."""
    await connection.execute(
        "update auth.identities set identity_data = '{}', provider_id = $2 where id = $1",
        UUID(identity_id),
        provider_id,
    )


async def delete_identity(connection: Connection, identity_id: str) -> None:
    """Delete an identity."""
    await connection.execute("delete from auth.identities where id = $1", UUID(identity_id))

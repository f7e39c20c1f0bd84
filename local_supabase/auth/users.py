"""Reading and writing ``auth.users`` and ``auth.identities``."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

import asyncpg
import orjson

from local_supabase.auth.models import Metadata, User, merge_metadata
from local_supabase.database import Connection

_SELECT = """
select u.id, u.aud, u.role, u.email, u.phone, u.encrypted_password, u.email_confirmed_at, u.invited_at,
       u.phone_confirmed_at, u.confirmation_token, u.confirmation_sent_at, u.confirmed_at, u.recovery_token,
       u.recovery_sent_at, u.email_change_token_current, u.email_change_token_new, u.email_change,
       u.email_change_sent_at, u.email_change_confirm_status, u.reauthentication_token,
       u.reauthentication_sent_at, u.last_sign_in_at, u.raw_app_meta_data, u.raw_user_meta_data,
       u.created_at, u.updated_at, u.banned_until, u.deleted_at, u.is_anonymous,
       (select coalesce(json_agg(i order by i.created_at, i.id), '[]')::text
          from auth.identities i where i.user_id = u.id) as identities
  from auth.users u
"""


class Lookup(StrEnum):
    """The ways to find users; each is a condition on one parameter."""

    ID = "u.id = $1::uuid"
    EMAIL = "lower(u.email) = $1 and not u.is_sso_user"
    PHONE = "u.phone = $1 and not u.is_sso_user"
    # The address may also be that of an identity only, of another provider say.
    EMAIL_OR_IDENTITY = (
        "not u.is_sso_user and u.id in (select id from auth.users where lower(email) = $1"
        " union select user_id from auth.identities where email = $1)"
    )


class Column(StrEnum):
    """The columns of ``auth.users`` that Auth changes after a user was made."""

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
    PHONE_CHANGE = "phone_change"
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
    """Give the user found by a lookup, the oldest if there are several."""
    query = f"{_SELECT} where {lookup.value} order by u.created_at limit 1"
    record = await connection.fetchrow(query, value)
    return None if record is None else User.from_record(dict(record))


async def reload(connection: Connection, user: User) -> User:
    """Give the user as it is now, triggers and generated columns included."""
    current = await find(connection, Lookup.ID, user.id)
    if current is None:
        raise LookupError(f"user {user.id} was deleted meanwhile")
    return current


async def page(
    connection: Connection, *, audience: str, pattern: str | None, limit: int, offset: int
) -> tuple[list[User], int]:
    """Give a page of users, newest first, and how many there are in all; ``pattern`` is a LIKE pattern."""
    condition = """
     where u.aud = $1 and ($2::text is null or u.email like $2 or u.raw_user_meta_data->>'full_name' ilike $2)
    """
    total = await connection.fetchval(f"select count(*) from auth.users u {condition}", audience, pattern)  # noqa: S608  # constants only
    query = f"{_SELECT} {condition} order by u.created_at desc, u.id limit $3 offset $4"
    records = await connection.fetch(query, audience, pattern, limit, offset)
    return [User.from_record(dict(record)) for record in records], int(total)


async def insert(
    connection: Connection,
    *,
    email: str,
    password_hash: str,
    audience: str,
    role: str,
    app_metadata: Metadata,
    user_metadata: Metadata,
    phone: str = "",
    is_anonymous: bool = False,
    user_id: UUID | None = None,
) -> User:
    """Insert a user, fire the project's triggers and give the row as they left it.

    Raises:
        asyncpg.UniqueViolationError: the address or the id is taken.
        asyncpg.PostgresError: whatever a trigger of the project raises.
    """
    key = user_id or uuid4()
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
        audience,
        role,
        email.lower(),
        phone,
        password_hash,
        orjson.dumps(dict(app_metadata)).decode(),
        orjson.dumps(dict(user_metadata)).decode(),
        is_anonymous,
    )
    user = await find(connection, Lookup.ID, str(key))
    if user is None:  # a trigger took it away again
        raise asyncpg.NoDataFoundError("the new user is not there")
    return user


async def update(connection: Connection, user: User, changes: Changes) -> User:
    """Set columns of a user and give the user as it is afterwards."""
    if changes:
        assignments = ", ".join(f"{column.value} = ${number}" for number, column in enumerate(changes, 2))
        statement = f"update auth.users set {assignments}, updated_at = clock_timestamp() where id = $1"  # noqa: S608  # names of an enum
        await connection.execute(statement, UUID(user.id), *changes.values())
    return await reload(connection, user)


def user_metadata_change(user: User, updates: Metadata) -> dict[Column, str]:
    """Give the change that merges into a user's ``user_metadata``."""
    return {Column.USER_METADATA: orjson.dumps(merge_metadata(user.user_metadata, updates)).decode()}


def app_metadata_change(user: User, updates: Metadata) -> dict[Column, str]:
    """Give the change that merges into a user's ``app_metadata``."""
    return {Column.APP_METADATA: orjson.dumps(merge_metadata(user.app_metadata, updates)).decode()}


async def delete(connection: Connection, user: User) -> None:
    """Delete a user and, by cascade, everything that hangs on it."""
    await connection.execute("delete from auth.users where id = $1", UUID(user.id))


async def add_identity(connection: Connection, user: User, provider: str, data: Metadata) -> None:
    """Add an identity; ``data`` must hold ``sub``, the provider's name for the user."""
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
    """Merge into the data of a user's identity of a provider, if there is one."""
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
    """Empty an identity and give it a name that tells nothing."""
    await connection.execute(
        "update auth.identities set identity_data = '{}', provider_id = $2 where id = $1",
        UUID(identity_id),
        provider_id,
    )


async def delete_identity(connection: Connection, identity_id: str) -> None:
    """Delete an identity."""
    await connection.execute("delete from auth.identities where id = $1", UUID(identity_id))

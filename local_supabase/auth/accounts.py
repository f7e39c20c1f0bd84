"""Creating and changing accounts: the steps that several endpoints share."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg

from local_supabase.auth import one_time, sessions, users
from local_supabase.auth.api import AUDIENCE
from local_supabase.auth.errors import unexpected, unprocessable
from local_supabase.auth.models import Metadata, User
from local_supabase.auth.users import Changes, Column, NewUser
from local_supabase.database import Connection

DUPLICATE_EMAIL = "A user with this email address has already been registered"
ROLE = "authenticated"


def identity_data(user: User, email: str, *, verified: bool = False) -> dict[str, object]:
    """Return the ``identity_data`` of an email identity."""
    return {"sub": user.id, "email": email, "email_verified": verified, "phone_verified": False}


@asynccontextmanager
async def saving_new_user() -> AsyncIterator[None]:
    """Turn database errors in the block into GoTrue's: 422 for a taken address, 500 for a failing trigger."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if error.schema_name == "auth" and error.table_name == "users":
            raise unprocessable("user_already_exists", "User already registered") from error
        raise unexpected("Database error saving new user") from error
    except asyncpg.PostgresConnectionError:
        raise
    except (asyncpg.PostgresError, LookupError) as error:
        raise unexpected("Database error saving new user") from error


async def create_by_email(connection: Connection, email: str, password_hash: str, data: Metadata) -> User:
    """Create an account with an email identity; the address is not confirmed."""
    user = await users.insert(connection, _by_email(email, password_hash, data))
    await users.add_identity(connection, user, "email", identity_data(user, email))
    return await users.reload(connection, user)


async def sign_up(connection: Connection, email: str, password_hash: str, data: Metadata) -> User:
    """Create an account for a sign-up; its identity and ``user_metadata`` both hold address and data."""
    user = await users.insert(connection, _by_email(email, password_hash, data))
    whole = {**data, **identity_data(user, email)}
    await users.add_identity(connection, user, "email", whole)
    return await users.update(connection, user, users.user_metadata_change(user, whole))


def _by_email(email: str, password_hash: str, data: Metadata) -> NewUser:
    return NewUser(
        AUDIENCE,
        ROLE,
        app_metadata={"provider": "email", "providers": ["email"]},
        user_metadata=data,
        email=email,
        password_hash=password_hash,
    )


async def confirm(connection: Connection, user: User) -> User:
    """Mark the address as confirmed and void the codes that were sent."""
    await one_time.clear(connection, user)
    changes: Changes = {
        Column.CONFIRMATION_TOKEN: "",
        Column.EMAIL_CONFIRMED_AT: datetime.now(UTC),
        **users.user_metadata_change(user, {"email_verified": True}, by_auth=True),
    }
    return await users.update(connection, user, changes)


async def change_password(
    connection: Connection, user: User, password_hash: str | None, keep_session: str | None
) -> User:
    """Set a password, void the codes that were sent, and sign out all sessions except ``keep_session``."""
    await one_time.clear(connection, user)
    if keep_session is None:
        await sessions.close_all(connection, user.id)
    else:
        await sessions.close_others(connection, user.id, keep_session)
    return await users.update(connection, user, {Column.PASSWORD: password_hash, **_NO_CODES})


_NO_CODES: Mapping[Column, str | None] = {
    Column.CONFIRMATION_TOKEN: "",
    Column.CONFIRMATION_SENT_AT: None,
    Column.RECOVERY_TOKEN: "",
    Column.RECOVERY_SENT_AT: None,
    Column.EMAIL_CHANGE_TOKEN_CURRENT: "",
    Column.EMAIL_CHANGE_TOKEN_NEW: "",
    Column.EMAIL_CHANGE_SENT_AT: None,
    Column.PHONE_CHANGE_TOKEN: "",
    Column.PHONE_CHANGE_SENT_AT: None,
    Column.REAUTHENTICATION_TOKEN: "",
    Column.REAUTHENTICATION_SENT_AT: None,
}


async def refresh_providers(connection: Connection, user: User) -> User:
    """List the providers of the user's identities in ``app_metadata``."""
    providers = list(dict.fromkeys(identity.provider for identity in user.identities))
    updates: dict[str, object] = {"providers": providers}
    if providers:
        updates["provider"] = providers[0]
    return await users.update(connection, user, users.app_metadata_change(user, updates))


async def adopt_email(connection: Connection, user: User, email: str) -> User:
    """Set the user's confirmed address, which makes an anonymous user permanent."""
    if user.identity_of("email") is None:
        await users.add_identity(connection, user, "email", identity_data(user, email, verified=True))
    else:
        updates = {"email": email, "email_verified": True}
        await users.update_identity(connection, user, "email", updates)
    changes: Changes = {
        Column.EMAIL: email,
        Column.EMAIL_CHANGE: "",
        Column.EMAIL_CHANGE_TOKEN_CURRENT: "",
        Column.EMAIL_CHANGE_TOKEN_NEW: "",
        Column.EMAIL_CHANGE_CONFIRM_STATUS: 0,
        Column.IS_ANONYMOUS: False,
    }
    changed = await users.update(connection, user, changes)
    await one_time.clear(connection, changed)
    return changed if changed.is_confirmed else await confirm(connection, changed)

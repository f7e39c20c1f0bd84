"""Reads and writes ``auth.sessions``, ``auth.refresh_tokens`` and ``auth.mfa_amr_claims``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from local_supabase.auth import tokens
from local_supabase.auth.models import User
from local_supabase.auth.rotation import PresentedToken
from local_supabase.auth.tokens import AuthenticationMethod
from local_supabase.database import Connection


@dataclass(frozen=True, slots=True)
class SessionClient:
    """What a session stores about the client that opened or refreshed it."""

    user_agent: str | None
    ip: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """A row of ``auth.sessions``."""

    id: str
    user_id: str
    created_at: datetime
    refreshed_at: datetime | None
    not_after: datetime | None
    aal: str

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Read a row. Hosted's schema stores ``refreshed_at`` as UTC without a time zone."""
        created, refreshed, not_after = record["created_at"], record["refreshed_at"], record["not_after"]
        return cls(
            id=str(record["id"]),
            user_id=str(record["user_id"]),
            created_at=created if isinstance(created, datetime) else datetime.now(UTC),
            refreshed_at=refreshed.replace(tzinfo=UTC) if isinstance(refreshed, datetime) else None,
            not_after=not_after if isinstance(not_after, datetime) else None,
            aal=str(record["aal"] or "aal1"),
        )

    @property
    def has_second_factor(self) -> bool:
        """Whether the user has entered a code of a second factor in this session."""
        return self.aal == "aal2"

    def is_over(self, now: datetime, timebox: timedelta) -> bool:
        """Return whether the session has expired, by its own date or by the project's timebox (0: none)."""
        if self.not_after is not None and now > self.not_after:
            return True
        return bool(timebox) and now > self.created_at + timebox

    def is_idle(self, now: datetime, token_changed: datetime, allowed: timedelta) -> bool:
        """Return whether the session has not been refreshed for longer than allowed (0: no limit)."""
        last = self.refreshed_at or max(token_changed, self.created_at)
        return bool(allowed) and now > last + allowed


_COLUMNS = "id, user_id, created_at, refreshed_at, not_after, aal::text"


async def find(connection: Connection, session_id: str) -> Session | None:
    """Return a session, None if it does not exist."""
    query = f"select {_COLUMNS} from auth.sessions where id = $1"  # noqa: S608  # constants only
    record = await connection.fetchrow(query, UUID(session_id))
    return None if record is None else Session.from_record(dict(record))


async def lock(connection: Connection, session_id: str) -> Session | None:
    """Return a session and lock it against other refreshes until the transaction ends; None without one."""
    query = f"select {_COLUMNS} from auth.sessions where id = $1 for update"  # noqa: S608  # constants only
    record = await connection.fetchrow(query, UUID(session_id))
    return None if record is None else Session.from_record(dict(record))


async def open_session(
    connection: Connection, user: User, method: str, client: SessionClient
) -> tuple[str, str]:
    """Open a session; return its id and its first refresh token."""
    token = tokens.new_refresh_token()
    session_id = await connection.fetchval(
        """
        with opened as (
            insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip)
            values (gen_random_uuid(), $1, clock_timestamp(), clock_timestamp(), 'aal1', $2, $3::text::inet)
            returning id
        ), entered as (
            insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
            select gen_random_uuid(), id, clock_timestamp(), clock_timestamp(), $4 from opened
        ), issued as (
            insert into auth.refresh_tokens
                (instance_id, token, user_id, parent, session_id, revoked, created_at, updated_at)
            select '00000000-0000-0000-0000-000000000000', $5, $6, null, id, false, clock_timestamp(),
                clock_timestamp() from opened
        ), signed_in as (
            update auth.users set last_sign_in_at = clock_timestamp(), updated_at = clock_timestamp()
             where id = $1
        )
        select id::text from opened
        """,
        UUID(user.id),
        client.user_agent,
        client.ip,
        method,
        token,
        user.id,
    )
    return str(session_id), token


async def methods_of(connection: Connection, session_id: str) -> list[AuthenticationMethod]:
    """Return how the user of a session has authenticated."""
    records = await connection.fetch(
        "select authentication_method, updated_at from auth.mfa_amr_claims where session_id = $1",
        UUID(session_id),
    )
    return [AuthenticationMethod(record["authentication_method"], record["updated_at"]) for record in records]


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A refresh token with the ids of its user and session."""

    presented: PresentedToken
    user_id: str
    session_id: str | None


async def find_token(connection: Connection, token: str) -> StoredToken | None:
    """Return a refresh token, revoked or not; None if it does not exist."""
    record = await connection.fetchrow(
        """
        select token, revoked, updated_at, user_id, session_id::text
          from auth.refresh_tokens where token = $1
        """,
        token,
    )
    if record is None:
        return None
    changed = record["updated_at"] or datetime.now(UTC)
    presented = PresentedToken(record["token"], bool(record["revoked"]), changed)
    return StoredToken(presented, str(record["user_id"]), record["session_id"])


@dataclass(frozen=True, slots=True)
class ActiveToken:
    """The newest token of a session that is not revoked."""

    token: str
    parent: str | None


async def active_token(connection: Connection, session_id: str) -> ActiveToken | None:
    """Return the active token of a session, None without one."""
    record = await connection.fetchrow(
        """
        select token, parent from auth.refresh_tokens
         where session_id = $1 and not revoked order by id desc limit 1
        """,
        UUID(session_id),
    )
    return None if record is None else ActiveToken(record["token"], record["parent"])


async def swap_token(connection: Connection, stored: StoredToken, session_id: str) -> str:
    """Revoke a token and return the new one issued in its place."""
    token = tokens.new_refresh_token()
    await connection.execute(
        """
        with revoked as (
            update auth.refresh_tokens set revoked = true, updated_at = clock_timestamp() where token = $1
        )
        insert into auth.refresh_tokens
            (instance_id, token, user_id, parent, session_id, revoked, created_at, updated_at)
        values ('00000000-0000-0000-0000-000000000000', $2, $3, $1, $4, false, clock_timestamp(),
            clock_timestamp())
        """,
        stored.presented.token,
        token,
        stored.user_id,
        UUID(session_id),
    )
    return token


async def raise_level(connection: Connection, session: Session, method: str, factor_id: str) -> str:
    """Note a second factor in a session, which gives it the level aal2; return its only refresh token.

    The former tokens are deleted, so that whoever has one from before the code gets nothing for it.
    """
    token = tokens.new_refresh_token()
    await connection.execute(
        """
        with entered as (
            insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
            values (gen_random_uuid(), $1, clock_timestamp(), clock_timestamp(), $2)
            on conflict (session_id, authentication_method) do update set updated_at = clock_timestamp()
        ), raised as (
            update auth.sessions set aal = 'aal2', factor_id = $3, updated_at = clock_timestamp()
             where id = $1
        ), deleted as (
            delete from auth.refresh_tokens where session_id = $1
        )
        insert into auth.refresh_tokens
            (instance_id, token, user_id, parent, session_id, revoked, created_at, updated_at)
        values ('00000000-0000-0000-0000-000000000000', $4, $5, null, $1, false, clock_timestamp(),
            clock_timestamp())
        """,
        UUID(session.id),
        method,
        UUID(factor_id),
        token,
        session.user_id,
    )
    return token


async def lower_level(connection: Connection, factor_id: str, method: str) -> None:
    """Take the level aal2 from the sessions that a factor has given it to."""
    await connection.execute(
        """
        with lowered as (
            update auth.sessions set aal = 'aal1', factor_id = null, updated_at = clock_timestamp()
             where factor_id = $1 returning id
        )
        delete from auth.mfa_amr_claims using lowered
         where session_id = lowered.id and authentication_method = $2
        """,
        UUID(factor_id),
        method,
    )


async def close_lower(connection: Connection, user_id: str) -> None:
    """Sign a user out of all sessions that have not reached the level aal2."""
    await connection.execute("delete from auth.sessions where user_id = $1 and aal < 'aal2'", UUID(user_id))


async def revoke_family(connection: Connection, session_id: str) -> None:
    """Revoke every token of a session, after one of them was used twice."""
    await connection.execute(
        """
        update auth.refresh_tokens set revoked = true, updated_at = clock_timestamp()
         where session_id = $1 and not revoked
        """,
        UUID(session_id),
    )


async def record_refresh(connection: Connection, session_id: str, client: SessionClient) -> None:
    """Store when, and by which client, a session was refreshed."""
    await connection.execute(
        """
        update auth.sessions
           set refreshed_at = clock_timestamp() at time zone 'utc', updated_at = clock_timestamp(),
               user_agent = $2, ip = $3::text::inet
         where id = $1
        """,
        UUID(session_id),
        client.user_agent,
        client.ip,
    )


async def close_all(connection: Connection, user_id: str) -> None:
    """Sign a user out everywhere."""
    await connection.execute("delete from auth.sessions where user_id = $1", UUID(user_id))


async def close_one(connection: Connection, session_id: str) -> None:
    """Sign out one session."""
    await connection.execute("delete from auth.sessions where id = $1", UUID(session_id))


async def close_others(connection: Connection, user_id: str, session_id: str) -> None:
    """Sign a user out everywhere but in one session."""
    await connection.execute(
        "delete from auth.sessions where user_id = $1 and id <> $2", UUID(user_id), UUID(session_id)
    )
